//! Every setting has a test that shows its effect on a running server: here is which, and here are those of
//! settings that have no better place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use gateway_tests::DEADLINE;
use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::certificates::Certificates;
use gateway_tests::client::{Client, get};
use gateway_tests::curl::curl;
use gateway_tests::frames::{Http2Client, SETTINGS, WINDOW_UPDATE};
use gateway_tests::gatewayd::{Gatewayd, program};

/// The test of each setting, by the module that it is in.
const TESTS: &str = "
access-log access_log::a_format_of_ones_own_says_what_was_asked_for_and_only_of_whom
access-log-always access_log::a_format_of_ones_own_says_what_was_asked_for_and_only_of_whom
access-log-format access_log::a_format_of_ones_own_says_what_was_asked_for_and_only_of_whom
access-log-sample access_log::a_format_of_ones_own_says_what_was_asked_for_and_only_of_whom
access-log-slow access_log::a_format_of_ones_own_says_what_was_asked_for_and_only_of_whom
admin metrics::a_unix_socket_is_the_users_own_and_one_process_has_no_admin
backlog settings::the_kernel_is_told_how_many_may_wait
bind tls::addresses::tls_clear_text_and_redirects_stand_side_by_side
body-timeout timeouts::a_body_that_pauses_too_long_ends_the_request
boot-timeout loading::a_start_up_that_never_ends_is_given_up
capabilities stations::another_user_is_in_the_named_groups_and_keeps_the_named_capabilities
chdir stations::each_setting_of_the_process_shows_in_the_workers
compress compression::settings_say_which_codings_and_what
compress-min-size compression::settings_say_which_codings_and_what
compress-types compression::settings_say_which_codings_and_what
control control::status_tells_of_server_and_workers_in_words_and_as_json
cpu-affinity stations::every_worker_may_have_a_processor_of_its_own
drain-delay stopping::during_the_drain_delay_everybody_is_served_and_the_application_knows
env stations::a_table_of_the_file_holds_variables_and_a_reload_applies_them
env-file stations::each_setting_of_the_process_shows_in_the_workers
graceful-timeout process_model::the_graceful_timeout_ends_workers_that_do_not_listen
group binds::workers_become_the_user_before_the_application_is_loaded
groups stations::another_user_is_in_the_named_groups_and_keeps_the_named_capabilities
handshake-timeout tls::addresses::a_handshake_that_does_not_end_is_cut
head-timeout timeouts::a_head_that_does_not_end_in_time_is_408
hook-boot hooks::each_hook_is_told_what_has_happened
hook-ready hooks::a_ready_hook_that_fails_keeps_the_old_generation_and_the_old_program
hook-reload hooks::each_hook_is_told_what_has_happened
hook-timeout hooks::a_hook_that_does_not_end_holds_nobody_up_and_is_killed_with_what_it_started
hook-worker-exit hooks::each_hook_is_told_what_has_happened
http1-only http2::http2_that_is_turned_off_is_refused_as_http1
http2-stream-window http2::a_body_that_nobody_takes_stops_its_stream_and_no_other
http2-streams settings::http2_says_how_many_streams_and_bytes_it_takes
http2-window settings::http2_says_how_many_streams_and_bytes_it_takes
keep-alive timeouts::an_idle_connection_ends_without_a_word
keep-alive-requests overload::the_answer_to_the_last_request_of_a_connection_closes_it
limit-request-field-size limits::a_field_of_the_limit_passes_and_a_longer_one_is_431
limit-request-fields limits::as_many_fields_as_the_limit_pass_and_one_more_is_431
limit-request-head limits::a_head_larger_than_its_limit_is_431_however_it_is_made_up
limit-request-line limits::a_request_line_of_the_limit_passes_and_a_longer_one_is_414
linger draining::an_idle_connection_is_ended_cleanly_and_one_within_a_head_is_served
lint conformance::under_lint_a_breach_is_logged_with_the_rules_name
log-format access_log::standard_error_is_json_with_what_applications_add
log-level recycling::an_old_worker_is_replaced_and_serves_until_then
max-age recycling::an_old_worker_is_replaced_and_serves_until_then
max-body limits::a_body_of_the_limit_passes_and_a_longer_one_is_413_in_either_framing
max-connections limits::connections_beyond_the_limit_wait_until_one_ends
max-requests recycling::recycling_every_200_requests_under_load_loses_no_request
max-requests-in-flight overload::requests_beyond_those_in_flight_wait_and_those_beyond_the_queue_are_503
max-rss recycling::a_worker_that_holds_too_much_memory_is_replaced_and_its_hunger_told
metric-series metrics::apps::without_anybody_who_reads_them_or_with_no_room_applications_have_no_metrics
min-body-rate timeouts::a_body_slower_than_its_rate_is_given_up_although_it_never_pauses
min-write-rate timeouts::a_client_that_takes_less_than_its_rate_is_given_up_although_it_never_pauses
nice stations::each_setting_of_the_process_shows_in_the_workers
no-new-privs stations::each_setting_of_the_process_shows_in_the_workers
pid succession::a_living_master_keeps_its_pid_file_and_its_path_and_gives_them_back_in_time
proxy-fields proxies::host_and_prefix_are_believed_where_the_proxies_set_them
proxy-hops proxies::hops_are_counted_where_addresses_are_not_known
queue overload::requests_beyond_those_in_flight_wait_and_those_beyond_the_queue_are_503
recycle-jitter settings::chance_lowers_what_workers_are_used_for_by_the_jitter_alone
redirect-port settings::clients_are_redirected_to_the_port_that_is_named
reload reconfiguration::with_reload_a_changed_application_or_file_is_loaded_once_it_settles
request-id-field access_log::a_trusted_proxys_id_is_the_applications_and_the_logs_and_nobody_elses_is
request-timeout timeouts::a_request_past_its_deadline_is_504_and_nobody_elses_is
rlimit stations::each_setting_of_the_process_shows_in_the_workers
sandbox sandbox::every_wall_holds_and_would_be_open_without
sandbox-connect sandbox::what_is_named_and_what_is_harmless_goes_on_working
sandbox-write sandbox::what_is_named_and_what_is_harmless_goes_on_working
snapshot-dir snapshots::a_library_beside_the_application_is_found_through_reload_and_upgrade
static static_files::settings::a_reload_serves_the_folder_that_the_link_leads_to_then
static-immutable static_files::settings::a_folder_in_a_file_begins_where_the_file_is_and_one_in_a_variable_here
static-max-age static_files::settings::a_folder_in_a_file_begins_where_the_file_is_and_one_in_a_variable_here
statsd metrics::statsd_is_told_what_has_been_added
statsd-interval metrics::statsd_is_told_what_has_been_added
statsd-prefix settings::statsd_hears_the_prefix_first_on_a_socket_of_this_machine_as_well
statsd-tags metrics::statsd_is_told_what_has_been_added
tls-cert tls::addresses::a_client_gets_the_certificate_for_the_name_that_it_asks_for
tls-client-auth tls::clients::clients_show_certificates_where_they_are_asked_to
tls-client-ca tls::clients::clients_show_certificates_where_they_are_asked_to
tls-crl tls::clients::clients_show_certificates_where_they_are_asked_to
tls-key tls::addresses::a_client_gets_the_certificate_for_the_name_that_it_asks_for
tls-min-version settings::an_old_version_of_tls_is_spoken_only_where_it_may_be
tls-ticket-lifetime tls::tickets::a_session_ends_with_its_key
trace-queue traces::no_request_waits_for_a_collector_that_does_not_answer_or_is_not_there
trace-sample traces::so_many_requests_are_traced_as_the_operator_wants
trace-service traces::a_span_says_of_which_request_it_is_and_the_application_is_told_of_it
trace-to traces::a_span_says_of_which_request_it_is_and_the_application_is_told_of_it
trusted-proxies proxies::nobody_is_believed_who_is_not_trusted
umask binds::workers_become_the_user_before_the_application_is_loaded
unix-mode binds::nginx_reaches_a_unix_socket_by_default_and_not_when_it_may_not
unix-owner binds::nginx_reaches_a_unix_socket_by_default_and_not_when_it_may_not
user binds::workers_become_the_user_before_the_application_is_loaded
worker-timeout process_model::a_worker_whose_loop_is_stuck_is_killed_and_replaced
workers control::status_tells_of_server_and_workers_in_words_and_as_json
write-timeout timeouts::a_client_that_takes_nothing_is_given_up
";

#[test]
fn every_setting_has_a_test_that_is_there() {
    let output = program()
        .args(["print-config", "--sample"])
        .output()
        .unwrap();
    let sample = String::from_utf8(output.stdout).unwrap();
    // `# name = value`, and before the applications' own part.
    let server = sample.split("[app]").next().unwrap();
    let named = server.lines().filter_map(|line| {
        let line = line.trim_start_matches("# ").trim_start_matches('#');
        let (name, _) = line.split_once(" = ")?;
        let is_name = name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        is_name.then(|| name.to_owned())
    });
    let known: BTreeSet<String> = named.collect();
    let pairs = TESTS.lines().filter_map(|line| line.split_once(' '));
    let tests: BTreeMap<&str, &str> = pairs.collect();
    let told: BTreeSet<String> = tests.keys().map(|name| (*name).to_owned()).collect();
    let missing: Vec<_> = known.difference(&told).collect();
    let strange: Vec<_> = told.difference(&known).collect();
    assert!(
        missing.is_empty() && strange.is_empty(),
        "without a test: {missing:?}; unknown: {strange:?}"
    );
    for (setting, test) in tests {
        let (module, name) = test.rsplit_once("::").unwrap();
        let base = root()
            .join("tests/tests/e2e")
            .join(module.replace("::", "/"));
        let text = fs::read_to_string(base.with_extension("rs"))
            .or_else(|_| fs::read_to_string(base.join("mod.rs")))
            .unwrap_or_else(|error| panic!("{setting}: {test}: {error}"));
        assert!(
            text.contains(&format!("#[test]\nfn {name}() {{")),
            "{setting}: there is no test {test}"
        );
    }
}

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

#[test]
fn the_kernel_is_told_how_many_may_wait() {
    let server = probe(&["--workers", "1", "--backlog", "77"]);
    let Address::Tcp(address) = &server.address else {
        panic!("{:?}", server.address)
    };
    let place = format!("sport = :{}", address.port());
    let output = Command::new("ss").args(["-Hltn", &place]).output();
    let output = output.expect("ss, of iproute2");
    let text = String::from_utf8(output.stdout).unwrap();
    // Of a socket that listens the second number is the longest queue.
    assert_eq!(text.split_whitespace().nth(2), Some("77"), "{text}");
}

#[test]
fn http2_says_how_many_streams_and_bytes_it_takes() {
    let streams = ["--http2-streams", "7"];
    let windows = ["--http2-window", "3MiB", "--http2-stream-window", "128KiB"];
    let server = probe(&[&["--workers", "1"], &streams[..], &windows[..]].concat());
    let mut client = Http2Client::connect(&server.address, &[]);
    let told = client.frame_of(SETTINGS).unwrap().payload;
    let setting = |id: u8| {
        let one = told.chunks(6).find(|one| one[..2] == [0, id]);
        one.map(|one| u32::from_be_bytes(one[2..].try_into().unwrap()))
    };
    // SETTINGS_MAX_CONCURRENT_STREAMS and SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.5.2).
    assert_eq!([setting(3), setting(4)], [Some(7), Some(128 << 10)]);
    let opened = client.frame_of(WINDOW_UPDATE).unwrap();
    let more = u32::from_be_bytes(opened.payload[..].try_into().unwrap());
    assert_eq!((opened.stream, more), (0, (3 << 20) - 65_535));
}

#[test]
fn chance_lowers_what_workers_are_used_for_by_the_jitter_alone() {
    let ages = |jitter: &str| {
        let server = probe(&[
            "--workers",
            "4",
            "--max-age",
            "2s",
            "--recycle-jitter",
            jitter,
        ]);
        let old = |number: u32| {
            let told = format!("worker {number} is ");
            let line = server.process.line_with(&told, 0);
            let (_, age) = line.split_once(&told).unwrap();
            age.split(' ').next().unwrap().parse::<u32>().unwrap()
        };
        let ages: Vec<u32> = (1..=4).map(old).collect();
        assert_eq!(server.stop().0, 0);
        ages
    };
    let (none, all) = std::thread::scope(|scope| {
        let all = scope.spawn(|| ages("100"));
        (ages("0"), all.join().unwrap())
    });
    assert!(none.iter().all(|age| *age >= 2), "{none:?}");
    assert!(all.iter().any(|age| *age < 2), "{all:?}");
}

/// A server that speaks TLS, and then clear text that redirects; and its certificates.
fn secured(arguments: &[&str]) -> (Certificates, Gatewayd) {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let mut command = program();
    command
        .args(["--workers", "1", "--bind", "https://127.0.0.1:0"])
        .args(["--bind", "redirect://127.0.0.1:0"])
        .args(certificates.arguments("site"))
        .args(arguments)
        .arg(Artefacts::built().module("probe"));
    let server = Gatewayd::start(&mut command);
    (certificates, server)
}

#[test]
fn clients_are_redirected_to_the_port_that_is_named() {
    let (_certificates, server) = secured(&["--redirect-port", "8443"]);
    let request = get("/a").replace("Host: x", "Host: site.test:80");
    let request = request.replace("Host: localhost", "Host: site.test:80");
    let answer = Client::fetch(&server.addresses[1], request);
    let there = answer.field("location").unwrap().to_owned();
    assert!(
        there.starts_with("https://") && there.ends_with(":8443/a"),
        "{there}"
    );
    assert_eq!(answer.status, 308);
}

#[test]
fn an_old_version_of_tls_is_spoken_only_where_it_may_be() {
    let (certificates, server) = secured(&["--tls-min-version", "1.3"]);
    let Address::Tcp(address) = &server.address else {
        panic!("{:?}", server.address)
    };
    let (ca, port) = (certificates.text("ca.crt"), address.port());
    let url = format!("https://site.test:{port}/pid");
    let place = format!("site.test:{port}:127.0.0.1");
    let common = ["--cacert", &ca, "--resolve", &place, "-sS"];
    let [old, new] =
        ["1.2", "1.3"].map(|version| curl(&[&common[..], &["--tls-max", version, &url]].concat()));
    // CURLE_SSL_CONNECT_ERROR.
    assert_eq!(old.code, 35, "{old:?}");
    assert!(old.stderr.contains("protocol version"), "{old:?}");
    assert_eq!(new.code, 0, "{new:?}");
}

#[test]
fn statsd_hears_the_prefix_first_on_a_socket_of_this_machine_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statsd");
    let ear = UnixDatagram::bind(&path).unwrap();
    // For a process that is nobody, as root's server has it.
    for (path, mode) in [(folder.path(), 0o755), (&path, 0o666)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    ear.set_read_timeout(Some(DEADLINE)).unwrap();
    let place = format!("unix:{}", path.display());
    let statsd = ["--statsd", &place, "--statsd-interval", "200ms"];
    let _server = probe(
        &[
            &["--workers", "1", "--statsd-prefix", "eu.shop"],
            &statsd[..],
        ]
        .concat(),
    );
    let mut datagram = [0; 2_000];
    let length = ear.recv(&mut datagram).unwrap();
    let text = str::from_utf8(&datagram[..length]).unwrap();
    assert!(
        text.lines().all(|line| line.starts_with("eu.shop.")),
        "{text}"
    );
}
