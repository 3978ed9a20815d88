//! Fifty thousand requests, and everything that an operator does meanwhile: nothing is lost.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::soak::Soak;

#[test]
fn reloads_upgrades_scaling_and_recycling_under_steady_load_lose_no_request() {
    let soak = Soak {
        workers: 4,
        requests: 50_000,
        rate: 1000,
        reloads: 20,
        upgrades: 3,
        scalings: 20,
        pauses: 0,
        arguments: vec!["--max-requests=200".to_owned()],
    };
    let figures = soak.run(Artefacts::built(), None);
    println!("{figures}");
    assert!(figures.answered() >= soak.requests);
    assert!(figures.recycled() > 0, "{figures}");
    figures.expect_no_loss();
}
