//! The server's configuration: which settings there are, where their values come from, and what the
//! other rooms are told of it.

mod accounts;
mod alone;
mod app;
mod apps;
mod compression;
mod file;
mod given;
mod gunicorn;
mod hidden;
mod idle;
mod nearest;
mod origin;
mod pools;
mod preface;
mod print;
mod problem;
#[cfg(test)]
mod reference;
mod sample;
mod secrets;
mod setting;
mod settings;
mod sources;
mod spelled;
mod static_files;
mod tls;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use app::{AppConfig, MOST_APPS, OwnSetting};
pub(crate) use apps::AppPlace;
pub(crate) use gunicorn::flag_hint;
pub(crate) use nearest::{hint, nearest};
pub(crate) use pools::PoolConfig;
pub(crate) use print::{Secrets, print};
pub(crate) use problem::Problem;
pub(crate) use sample::sample;
pub(crate) use setting::{Applies, Setting};
pub(crate) use settings::{MAX_WORKERS, SETTINGS};
pub(crate) use sources::{
    APP_VARIABLE, CommandLine, FILE_VARIABLE, Resolved, near_misses, resolve,
};

use crate::coding::Codings;
use crate::compression::MediaTypes;
use crate::logging::{Always, Format, Manner, Selection};
use crate::net::{Bind, ListenAddress, ListenOptions, UnixAccess};
use crate::options::{
    AppOptions, Capacity, Http2Options, MinimumRates, RequestSizes, ServeOptions, Timeouts,
};
use crate::proxies::{Proxies, ProxyField, TrustedPeer};
use crate::static_files::{StaticMount, StaticOptions, UrlPath};
use crate::traces::TraceOptions;
use crate::value::{
    ByteCount, Capabilities, ClientAuth, CollectorUrl, CpuAffinity, DatagramPlace, FieldName,
    FileMode, Identity, Limit, LogFormat, LogLevel, LogTarget, MetricPrefix, Nice, Outgoing,
    Sandbox, Seen, ServiceName, ShellCommand, TlsVersion, Variable, VariableFile,
};

/// Every setting's value, and what is to be served.
///
/// The fields are described in the table, [`SETTINGS`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The applications at the server's own addresses, in the order of the file.
    pub(crate) apps: Vec<AppConfig>,
    /// Applications with addresses, and workers, of their own.
    pub(crate) pools: Vec<PoolConfig>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// How files looked before they were read, as far as somebody wants to hear of changes.
    pub(crate) seen: Vec<Seen>,
    /// The folder of `gatewayd dev`.
    pub(crate) workbench: Option<PathBuf>,
    pub(crate) bind: Vec<Bind>,
    pub(crate) unix_mode: Option<FileMode>,
    pub(crate) unix_owner: Option<String>,
    /// The user and the group that `unix_owner` names.
    pub(crate) unix_owner_ids: (Option<u32>, Option<u32>),
    pub(crate) user: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) groups: Vec<String>,
    /// Who `user`, `group` and `groups` are.
    pub(crate) identity: Option<Identity>,
    pub(crate) umask: Option<FileMode>,
    pub(crate) chdir: Option<PathBuf>,
    pub(crate) env: Vec<Variable>,
    pub(crate) env_file: Vec<VariableFile>,
    /// What the files of `env_file` hold.
    pub(crate) env_secrets: Vec<Variable>,
    pub(crate) rlimit: Vec<Limit>,
    pub(crate) nice: Option<Nice>,
    pub(crate) cpu_affinity: Option<CpuAffinity>,
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) no_new_privs: bool,
    pub(crate) sandbox: Sandbox,
    pub(crate) sandbox_write: Vec<PathBuf>,
    pub(crate) sandbox_connect: Vec<Outgoing>,
    pub(crate) workers: u32,
    pub(crate) max_connections: u32,
    pub(crate) backlog: u32,
    pub(crate) pid: Option<PathBuf>,
    pub(crate) control: Option<PathBuf>,
    pub(crate) snapshot_dir: Option<PathBuf>,
    pub(crate) lint: bool,
    pub(crate) reload: bool,
    pub(crate) tls_cert: Vec<PathBuf>,
    pub(crate) tls_key: Vec<PathBuf>,
    pub(crate) tls_min_version: TlsVersion,
    pub(crate) tls_client_auth: ClientAuth,
    pub(crate) tls_client_ca: Option<PathBuf>,
    pub(crate) tls_crl: Option<PathBuf>,
    pub(crate) tls_ticket_lifetime: Duration,
    pub(crate) redirect_port: u32,
    pub(crate) handshake_timeout: Duration,
    pub(crate) head_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) linger: Duration,
    pub(crate) max_requests: u32,
    pub(crate) max_age: Duration,
    pub(crate) max_rss: ByteCount,
    pub(crate) recycle_jitter: u32,
    pub(crate) drain_delay: Duration,
    pub(crate) graceful_timeout: Duration,
    pub(crate) worker_timeout: Duration,
    pub(crate) boot_timeout: Duration,
    pub(crate) limit_request_line: ByteCount,
    pub(crate) limit_request_fields: u32,
    pub(crate) limit_request_field_size: ByteCount,
    pub(crate) limit_request_head: ByteCount,
    pub(crate) max_body: ByteCount,
    pub(crate) min_body_rate: ByteCount,
    pub(crate) min_write_rate: ByteCount,
    pub(crate) keep_alive_requests: u32,
    pub(crate) compress: Option<Codings>,
    pub(crate) compress_min_size: ByteCount,
    pub(crate) compress_types: Option<MediaTypes>,
    pub(crate) static_mounts: Vec<StaticMount>,
    pub(crate) static_max_age: Duration,
    pub(crate) static_immutable: Vec<UrlPath>,
    pub(crate) trusted_proxies: Vec<TrustedPeer>,
    pub(crate) proxy_fields: Vec<ProxyField>,
    pub(crate) proxy_hops: u32,
    pub(crate) max_requests_in_flight: u32,
    pub(crate) queue: u32,
    pub(crate) http1_only: bool,
    pub(crate) http2_streams: u32,
    pub(crate) http2_stream_window: ByteCount,
    pub(crate) http2_window: ByteCount,
    pub(crate) access_log: Option<LogTarget>,
    pub(crate) access_log_format: Option<Format>,
    pub(crate) access_log_sample: u32,
    pub(crate) access_log_always: Option<Always>,
    pub(crate) access_log_slow: Duration,
    pub(crate) request_id_field: Option<FieldName>,
    pub(crate) log_format: Option<LogFormat>,
    pub(crate) log_level: LogLevel,
    pub(crate) hook_boot: Option<ShellCommand>,
    pub(crate) hook_ready: Option<ShellCommand>,
    pub(crate) hook_reload: Option<ShellCommand>,
    pub(crate) hook_worker_exit: Option<ShellCommand>,
    pub(crate) hook_timeout: Duration,
    pub(crate) admin: Option<ListenAddress>,
    pub(crate) metric_series: u32,
    pub(crate) trace_to: Option<CollectorUrl>,
    pub(crate) trace_sample: u32,
    pub(crate) trace_queue: u32,
    pub(crate) trace_service: Option<ServiceName>,
    pub(crate) statsd: Option<DatagramPlace>,
    pub(crate) statsd_tags: bool,
    pub(crate) statsd_prefix: Option<MetricPrefix>,
    pub(crate) statsd_interval: Duration,
}

impl Config {
    /// The defaults, but for the settings that are named here; for tests and rehearsals, which write them down.
    ///
    /// # Panics
    ///
    /// A setting refuses its text.
    pub(crate) fn of(texts: &[(&str, &str)]) -> Self {
        let mut config = Self::blank();
        for setting in SETTINGS.iter() {
            let text = texts.iter().find(|(name, _)| *name == setting.name);
            let text = text.map_or(setting.default, |(_, text)| text);
            if !text.is_empty() {
                setting
                    .set(&mut config, &[text])
                    .expect("a text that is written down");
            }
        }
        config
    }

    /// A configuration in which no setting has its default yet.
    pub(crate) fn blank() -> Self {
        let (none, zero) = (Duration::ZERO, ByteCount(0));
        Self {
            apps: Vec::new(),
            pools: Vec::new(),
            file: None,
            seen: Vec::new(),
            workbench: None,
            bind: Vec::new(),
            unix_mode: None,
            unix_owner: None,
            unix_owner_ids: (None, None),
            user: None,
            group: None,
            groups: Vec::new(),
            identity: None,
            umask: None,
            chdir: None,
            env: Vec::new(),
            env_file: Vec::new(),
            env_secrets: Vec::new(),
            rlimit: Vec::new(),
            nice: None,
            cpu_affinity: None,
            capabilities: None,
            no_new_privs: false,
            sandbox: Sandbox::Off,
            sandbox_write: Vec::new(),
            sandbox_connect: Vec::new(),
            workers: 0,
            max_connections: 0,
            backlog: 0,
            pid: None,
            control: None,
            snapshot_dir: None,
            lint: false,
            reload: false,
            tls_cert: Vec::new(),
            tls_key: Vec::new(),
            tls_min_version: TlsVersion::V12,
            tls_client_auth: ClientAuth::None,
            tls_client_ca: None,
            tls_crl: None,
            tls_ticket_lifetime: none,
            redirect_port: 0,
            handshake_timeout: none,
            head_timeout: none,
            body_timeout: none,
            keep_alive: none,
            write_timeout: none,
            request_timeout: none,
            linger: none,
            max_requests: 0,
            max_age: none,
            max_rss: zero,
            recycle_jitter: 0,
            drain_delay: none,
            graceful_timeout: none,
            worker_timeout: none,
            boot_timeout: none,
            limit_request_line: zero,
            limit_request_fields: 0,
            limit_request_field_size: zero,
            limit_request_head: zero,
            max_body: zero,
            min_body_rate: zero,
            min_write_rate: zero,
            keep_alive_requests: 0,
            compress: None,
            compress_min_size: zero,
            compress_types: None,
            static_mounts: Vec::new(),
            static_max_age: none,
            static_immutable: Vec::new(),
            trusted_proxies: Vec::new(),
            proxy_fields: Vec::new(),
            proxy_hops: 0,
            max_requests_in_flight: 0,
            queue: 0,
            http1_only: false,
            http2_streams: 0,
            http2_stream_window: zero,
            http2_window: zero,
            access_log: None,
            access_log_format: None,
            access_log_sample: 0,
            access_log_always: None,
            access_log_slow: none,
            request_id_field: None,
            log_format: None,
            log_level: LogLevel::Info,
            hook_boot: None,
            hook_ready: None,
            hook_reload: None,
            hook_worker_exit: None,
            hook_timeout: none,
            admin: None,
            metric_series: 0,
            trace_to: None,
            trace_sample: 1,
            trace_queue: 1,
            trace_service: None,
            statsd: None,
            statsd_tags: false,
            statsd_prefix: None,
            statsd_interval: none,
        }
    }

    /// The variables that workers have beside those of the server.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.env.iter().chain(&self.env_secrets);
        all.map(|one| (&*one.name, &*one.value))
    }

    /// Keeps `max-connections` of the server and of each pool within what their `rlimit` allows of open
    /// files, or `files` where that says nothing, with some left for everything else.
    pub(crate) fn fit_max_connections(&mut self, files: u64) {
        let own = self.fit_own_max_connections(files);
        if let Some((most, files)) = own {
            tracing::warn!("max-connections is {most}, because a process may open {files} files");
        }
        for PoolConfig { name, config } in &mut self.pools {
            let fitted = config.fit_own_max_connections(files);
            if let Some((most, files)) = fitted.filter(|_| fitted != own) {
                tracing::warn!(
                    "max-connections of {name} is {most}, because a process may open {files} files"
                );
            }
        }
    }

    /// The same of these workers alone; what has become of it and for how many files, if it was too much.
    fn fit_own_max_connections(&mut self, files: u64) -> Option<(u32, u64)> {
        let own = self.rlimit.iter().rev();
        let own = own.filter(|limit| limit.resource == rustix::process::Resource::Nofile);
        let own = own.map(|limit| limit.soft.unwrap_or(u64::MAX)).next();
        let files = own.unwrap_or(files);
        let most = u32::try_from(files.saturating_sub(FILES_BESIDE))
            .unwrap_or(u32::MAX)
            .max(1);
        let too_many = self.max_connections > most;
        self.max_connections = self.max_connections.min(most);
        too_many.then_some((most, files))
    }

    /// How the access log is written.
    pub(crate) fn access_manner(&self) -> Manner {
        Manner {
            format: self.access_log_format.clone().unwrap_or_default(),
            selection: Selection::new(
                self.access_log_sample,
                self.access_log_always.unwrap_or_default(),
                self.access_log_slow,
            ),
        }
    }

    /// How standard error is written.
    pub(crate) fn log_style(&self) -> (LogLevel, LogFormat) {
        (self.log_level, self.log_format.unwrap_or_default())
    }

    /// Whether somebody reads the counters.
    pub(crate) fn is_observed(&self) -> bool {
        self.admin.is_some() || self.statsd.is_some()
    }

    /// What listeners are made with.
    pub(crate) fn listen_options(&self) -> ListenOptions {
        let (user, group) = self.unix_owner_ids;
        ListenOptions {
            backlog: self.backlog,
            unix: UnixAccess {
                mode: self.unix_mode.map_or(0o666, |mode| mode.0),
                user,
                group,
            },
        }
    }

    /// What the listener is made with that operators connect to.
    pub(crate) fn admin_options(&self) -> ListenOptions {
        let mut options = self.listen_options();
        options.unix.mode = 0o600;
        options
    }

    /// What the serving loop of a worker is told.
    pub(crate) fn serve_options(&self) -> ServeOptions {
        ServeOptions {
            sizes: RequestSizes {
                line: self.limit_request_line,
                fields: self.limit_request_fields,
                field: self.limit_request_field_size,
                head: self.limit_request_head,
            },
            timeouts: self.timeouts(),
            rates: self.rates(),
            capacity: self.capacity(),
            proxies: (!self.trusted_proxies.is_empty()).then(|| Proxies {
                trusted: self.trusted_proxies.clone(),
                fields: self.proxy_fields.clone(),
                hops: self.proxy_hops,
            }),
            compression: self.compression_options(),
            static_files: StaticOptions {
                mounts: self.static_mounts.clone(),
                max_age: self.static_max_age,
                immutable: self.static_immutable.clone(),
            },
            tls_min_version: self.tls_min_version,
            client_auth: self.tls_client_auth,
            ticket_lifetime: self.tls_ticket_lifetime,
            redirect_port: self.redirect_port(),
            http2: Http2Options {
                enabled: !self.http1_only,
                streams: self.http2_streams,
                stream_window: window(self.http2_stream_window),
                window: window(self.http2_window),
            },
            counts: self.is_observed(),
            metric_series: self.metric_series,
            traces: self.trace_to.clone().map(|collector| TraceOptions {
                collector,
                one_of: self.trace_sample,
                queue: self.trace_queue,
                service: self.trace_service.clone().map(|name| name.0),
            }),
            request_id_field: self.request_id_field.clone(),
            lint: self.lint,
            apps: self.apps.iter().map(|app| self.app_options(app)).collect(),
            workbench: self.workbench.clone(),
        }
    }

    fn app_options(&self, app: &AppConfig) -> AppOptions {
        let applied = app.applied(self);
        AppOptions {
            name: app.name.clone(),
            path: app.path.clone(),
            hosts: app.hosts.clone(),
            mount: app.mount.clone(),
            arguments: app.arguments.clone(),
            settings: app.settings.clone(),
            body: applied.max_body,
            timeouts: applied.timeouts(),
            rates: applied.rates(),
            capacity: applied.capacity(),
        }
    }

    fn timeouts(&self) -> Timeouts {
        Timeouts {
            handshake: self.handshake_timeout,
            head: self.head_timeout,
            body: self.body_timeout,
            keep_alive: self.keep_alive,
            write: self.write_timeout,
            request: self.request_timeout,
            linger: self.linger,
            graceful: self.graceful_timeout,
        }
    }

    fn rates(&self) -> MinimumRates {
        MinimumRates {
            body: self.min_body_rate,
            write: self.min_write_rate,
        }
    }

    fn capacity(&self) -> Capacity {
        Capacity {
            connections: self.max_connections,
            in_flight: none_if_zero(self.max_requests_in_flight),
            queue: self.queue,
            keep_alive_requests: none_if_zero(self.keep_alive_requests),
        }
    }
}

/// As HTTP/2 counts it; settings are within its range.
fn window(bytes: ByteCount) -> u32 {
    u32::try_from(bytes.0).unwrap_or(u32::MAX >> 1)
}

/// A limit that zero turns off.
fn none_if_zero(limit: u32) -> Option<u32> {
    (limit > 0).then_some(limit)
}

/// Files of a worker that are no connections, generously counted.
const FILES_BESIDE: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        let mut config = Config::blank();
        config.max_connections = 1000;
        config.fit_max_connections(1064);
        assert_eq!(config.max_connections, 1000);
        config.fit_max_connections(1024);
        assert_eq!(config.max_connections, 960);
        config.fit_max_connections(10);
        assert_eq!(config.max_connections, 1);
        let mut config = Config::of(&[("rlimit", "nofile=164")]);
        config.fit_max_connections(4096);
        assert_eq!(config.max_connections, 100);
        let pool = |texts| PoolConfig {
            name: "shop".to_owned(),
            config: Config::of(texts),
        };
        let mut config = Config::of(&[]);
        config.pools = vec![
            pool(&[("rlimit", "nofile=80")]),
            pool(&[]),
            pool(&[("rlimit", "nofile=1024")]),
        ];
        config.fit_max_connections(164);
        let most = config.pools.iter().map(|pool| pool.config.max_connections);
        assert_eq!(most.collect::<Vec<_>>(), [16, 100, 960]);
    }
}
