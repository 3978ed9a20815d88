//! The process that answers operators: metrics, health, a status page.
//!
//! The master starts it as it starts workers, and gives it the socket to listen on, the board and every
//! worker's page, to be read. So it answers when all workers are stuck, and what it does costs them
//! nothing; when it is killed, the next one goes on where it was.

mod answer;
mod exposition;
mod figures;
mod page;
mod plan;
mod serve;
mod statsd;
mod status;
#[cfg(test)]
mod testing;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::rc::Rc;

use tokio::runtime::Builder;

use crate::app_metrics::Reader;
use crate::board::BoardReader;
use crate::config::Config;
use crate::logging;
use crate::os::fd::Inherited;
use crate::os::{identity, memfd, process, signals};
use crate::value::Identity;
use figures::Watch;

pub(crate) use plan::{Plan, ROLE, Rank};

/// The life of the process.
pub(crate) fn main(plan: &OsStr) -> ExitCode {
    let boot = match Boot::from_inheritance(plan) {
        Ok(boot) => boot,
        Err(error) => {
            logging::init(Default::default());
            tracing::error!("{ROLE} is for gatewayd's own use: {error}");
            return ExitCode::FAILURE;
        }
    };
    logging::init(boot.config.log_style());
    match boot.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the admin process cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the process finds when it starts.
struct Boot {
    config: Config,
    board: BoardReader,
    pages: OwnedFd,
    book: Reader,
    rank: Rank,
    listener: Option<OwnedFd>,
    /// What came of becoming nobody, where a server of root's says no user.
    nobody: Option<io::Result<()>>,
}

impl Boot {
    /// Takes over what the master left. Nothing else has been opened in this process before.
    fn from_inheritance(plan: &OsStr) -> io::Result<Self> {
        let not_ours = || {
            let words = "expected what a gatewayd master passes on";
            io::Error::new(io::ErrorKind::InvalidInput, words)
        };
        let plan = Plan::parse(plan).ok_or_else(not_ours)?;
        let mut inherited = Inherited::claim(plan.descriptors())?;
        signals::disregard()?;
        process::set_name("gatewayd/admin");
        let mut take = |number| inherited.take(number).ok_or_else(not_ours);
        let config = memfd::read(&File::from(take(plan.config)?))?;
        let config = Config::from_wire(&config).map_err(io::Error::other)?;
        let board = BoardReader::map(take(plan.board)?)?;
        let pages = take(plan.pages)?;
        let book = Reader::map(take(plan.book)?)?;
        let listener = plan.listener.map(take).transpose()?;
        let mut nobody = None;
        match &config.identity {
            Some(Identity {
                user,
                group,
                groups,
            }) => identity::assume(*user, *group, groups)?,
            None => {
                nobody =
                    identity::is_root().then(|| identity::assume(Some(NOBODY), NOBODY, &[NOBODY]))
            }
        }
        // Becoming somebody else takes this back, so it comes last.
        process::end_with_parent(&pages);
        Ok(Self {
            config,
            board,
            pages,
            book,
            rank: plan.rank,
            listener,
            nobody,
        })
    }

    /// Answers until the master is gone.
    fn run(self) -> io::Result<()> {
        if let Some(Err(error)) = &self.nobody {
            tracing::warn!(
                "the admin process is root's, for it cannot become user {NOBODY}: {error}; --user \
                 names another"
            );
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())?;
        runtime.block_on(async {
            let watch = Watch::new(self.board, self.pages, self.book)?;
            if let (Some(listener), Some(address)) = (self.listener, &self.config.admin) {
                let door = serve::Door::new(listener, address)?;
                tokio::task::spawn_local(serve::serve(door, Rc::clone(&watch)));
            }
            tokio::task::spawn_local(statsd::push(Rc::clone(&watch), self.config, self.rank));
            watch.follow().await
        })
    }
}

/// The user and the group that own nothing, by the number that they have on every Linux.
const NOBODY: u32 = 65_534;
