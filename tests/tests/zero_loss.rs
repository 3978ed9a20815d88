//! Fifty thousand requests, and everything that an operator does meanwhile: nothing is lost.

use gateway_tests::soak::Soak;

#[test]
fn reloads_and_scaling_under_steady_load_lose_no_request() {
    let soak = Soak {
        workers: 4,
        requests: 50_000,
        rate: 1000,
        reloads: 20,
        upgrades: 0,
        scalings: 20,
        arguments: Vec::new(),
    };
    let figures = soak.run();
    println!("{figures}");
    assert!(figures.answered() >= soak.requests);
    figures.expect_no_loss();
}
