const element = (id) => document.getElementById(id);
const address = new URL("/echo", location.href);
address.protocol = address.protocol.replace("http", "ws");
const socket = new WebSocket(address, "echo");
socket.onopen = () => { element("state").textContent = "open"; };
socket.onclose = (event) => { element("state").textContent = `closed with ${event.code}`; };
socket.onmessage = (event) => {
  const line = document.createElement("li");
  line.textContent = event.data;
  element("heard").append(line);
};
element("form").onsubmit = (event) => {
  event.preventDefault();
  socket.send(element("words").value);
  element("words").value = "";
};
