//! A network namespace of its own, joined to ours by a pair of virtual interfaces: what a server sends
//! goes through a network stack, with addresses, neighbours and a little delay, as in a container.

use std::net::{IpAddr, Ipv4Addr};
use std::process::{self, Command};

/// A network; removed on drop.
#[derive(Debug)]
pub struct Network {
    name: String,
    /// Third part of all its addresses.
    part: u8,
    /// Why packets are not delayed, if they are not.
    pub undelayed: Option<String>,
}

impl Network {
    /// Makes a network.
    ///
    /// # Errors
    /// What the system lacks or does not permit, in its own words.
    pub fn create() -> Result<Self, String> {
        let pid = process::id();
        let name = format!("gw{pid}");
        let part = u8::try_from(pid % 250).expect("less than 250") + 1;
        ip(&format!("netns add {name}"))?;
        let mut network = Self {
            name,
            part,
            undelayed: None,
        };
        let Self { name, part, .. } = &network;
        ip(&format!(
            "link add {name} type veth peer name inside netns {name}"
        ))?;
        for last in std::iter::once(1).chain(SOURCES) {
            ip(&format!("addr add 10.213.{part}.{last}/24 dev {name}"))?;
        }
        ip(&format!("link set {name} up"))?;
        ip(&format!(
            "-n {name} addr add {}/24 dev inside",
            network.server()
        ))?;
        ip(&format!("-n {name} link set inside up"))?;
        ip(&format!("-n {name} link set lo up"))?;
        let delay = format!("-n {name} qdisc add dev inside root netem delay {DELAY}");
        network.undelayed = run("tc", &delay).err();
        Ok(network)
    }

    /// Where the server is.
    #[must_use]
    pub fn server(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 213, self.part, 2)
    }

    /// Where clients are, outside.
    #[must_use]
    pub fn sources(&self) -> Vec<IpAddr> {
        let address = |last| IpAddr::V4(Ipv4Addr::new(10, 213, self.part, last));
        SOURCES.map(address).collect()
    }

    /// The words that run what follows them inside.
    #[must_use]
    pub fn prefix(&self) -> Vec<String> {
        vec![
            "nsenter".to_owned(),
            format!("--net=/run/netns/{}", self.name),
        ]
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The interfaces go with the namespace, once nobody is in it any more.
        for rest in [
            format!("link del {}", self.name),
            format!("netns del {}", self.name),
        ] {
            if let Err(why) = ip(&rest) {
                eprintln!("{why}");
            }
        }
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    run("ip", arguments)
}

fn run(program: &str, arguments: &str) -> Result<(), String> {
    let command = format!("{program} {arguments}");
    let output = Command::new(program)
        .args(arguments.split(' '))
        .output()
        .map_err(|error| format!("{command}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| format!("{command}: {said}"))
}

/// Last parts of the clients' addresses.
const SOURCES: std::ops::RangeInclusive<u8> = 101..=108;
/// Of each packet that the server sends.
const DELAY: &str = "1ms";
