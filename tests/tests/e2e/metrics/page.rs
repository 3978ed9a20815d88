//! The status page, as a browser shows it.

use std::fs;
use std::path::Path;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::browser::{Browser, Scheme};
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::load::{Load, Plan};
use gateway_tests::until;
use nix::sys::signal::Signal;

use super::{Site, end};

#[test]
fn a_browser_draws_what_happens() {
    let site = Site::serve(&["--workers", "2"]);
    let mut plan = Plan::new(&site.server.address, get("/sleep/20"));
    plan.clients = 8;
    let load = Load::start(&plan);
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(folder.path());
    browser.open(&format!("http://{}/", site.admin));
    let drawn = "document.querySelectorAll('#rate-line path').length";
    until("a line in the picture", || browser.run(drawn) == 2);
    let from = site.server.process.lines_so_far();
    site.server.process.signal(Signal::SIGHUP);
    site.server
        .process
        .line_with("all workers run generation 2", from);
    end(site.server.workers()[0]);
    until("what has happened since", || {
        let text = browser.text();
        text.contains("all workers run generation 2") && text.contains("was ended by SIGKILL")
    });
    let text = browser.text();
    assert!(text.contains("serving") && text.contains("probe"), "{text}");
    let flight = browser.run("Number(document.getElementById('flight').textContent)");
    assert!(flight.as_f64().is_some_and(|flight| flight > 0.0), "{text}");
    // Nothing is loaded from elsewhere, and nothing of ours is stopped by the policy.
    let loaded =
        browser.run("performance.getEntriesByType('resource').map(one => one.name).join(' ')");
    let own = format!("http://{}/", site.admin);
    assert!(
        loaded
            .as_str()
            .unwrap()
            .split(' ')
            .all(|one| one.starts_with(&own) || one.starts_with("data:")),
        "{loaded}"
    );
    drop(load);
}

#[test]
fn everything_stands_beside_everything_else_and_can_be_read_in_every_light() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("shop.so");
    install(Artefacts::built().module("probe"), &module);
    let file = folder.path().join("g.toml");
    fs::write(&file, SITE).unwrap();
    let arguments = ["--admin", "127.0.0.1:0", "--config", file.to_str().unwrap()];
    let site = Site::of(Gatewayd::start(program().args(arguments)));
    let mut plan = Plan::new(&site.server.address, get("/sleep/5"));
    plan.clients = 2;
    let load = Load::start(&plan);
    assert_eq!(site.server.get("/panic").status, 500);
    end(site.server.workers()[0]);
    let mut waits = Client::connect(&Address::Unix(folder.path().join("admin.sock")));
    waits.send(get("/block/600000"));
    fs::write(&module, "no program").unwrap();
    site.server.process.signal(Signal::SIGHUP);
    let mut browser = Browser::start(folder.path());
    let url = format!("http://{}/", site.admin);
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("status");
    fs::create_dir_all(&pictures).unwrap();
    for (width, scheme) in [
        (1_200, Scheme::Light),
        (1_200, Scheme::Dark),
        (700, Scheme::Light),
        (360, Scheme::Light),
        (360, Scheme::Dark),
    ] {
        browser.appear(width, scheme);
        browser.open(&url);
        until("everything that there is to show", || {
            let text = browser.text();
            let parts = [
                "reload is off",
                "panic in call",
                "site, shop",
                "blocked by it",
            ];
            parts.iter().all(|part| text.contains(part))
        });
        assert_eq!(browser.run(FAULTS), "", "{width} {scheme:?}");
        let picture = pictures.join(format!("{width}-{scheme:?}.png"));
        fs::write(picture, browser.picture()).unwrap();
    }
    // What cannot be asked any more is not shown as if it could.
    drop((load, waits));
    site.server.process.signal(Signal::SIGKILL);
    until("a server that is gone", || browser.text().contains("gone"));
    assert_eq!(
        browser.run("document.getElementById('main').className"),
        "old"
    );
}

const SITE: &str = "\
bind = '127.0.0.1:0'
workers = 2
[[app]]
name = 'site'
path = 'shop.so'
[[app]]
name = 'shop'
path = 'shop.so'
mount = '/a'
[[app]]
name = 'admin'
path = 'shop.so'
bind = 'unix:admin.sock'
workers = 1
";

/// What is wrong with a page: what is wider than its place, lies over something else, or has less contrast
/// than people need (WCAG 2.2, 1.4.3).
const FAULTS: &str = r"
(() => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push('the page is ' + root.scrollWidth + ' wide');
  const cards = [...document.querySelectorAll('header, article, section:not(.tiles, .two), .two > div, footer')]
    .filter((card) => card.offsetParent !== null);
  for (const [at, card] of cards.entries()) {
    const name = card.innerText.slice(0, 20);
    if (card.scrollWidth > card.clientWidth) faults.push(name + ' overflows');
    const one = card.getBoundingClientRect();
    for (const other of cards.slice(at + 1)) {
      const two = other.getBoundingClientRect();
      if (one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom)
        faults.push(name + ' lies over ' + other.innerText.slice(0, 20));
    }
  }
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = numbers(color).slice(0, 3).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (numbers(color)[3] !== 0) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (!own || element.offsetParent === null) continue;
    const pair = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (contrast < 4.5) faults.push(element.innerText.slice(0, 20) + ' has a contrast of ' + contrast.toFixed(2));
  }
  return faults.join('; ');
})()";
