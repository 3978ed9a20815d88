//! The users and groups that settings name. Looking them up may ask a name service, so it happens where
//! the configuration is read and nowhere else; processes are told numbers.

use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use super::origin::Origin;
use super::problem::Problem;
use super::{Config, SETTINGS};
use crate::value::Identity;

/// Looks up all names; `origins` are those of the settings.
pub(super) fn look_up(config: &mut Config, origins: &[Origin], problems: &mut Vec<Problem>) {
    let mut refuse = |setting: &str, (expected, found): (String, String)| {
        let at = SETTINGS.iter().position(|one| one.name == setting);
        let lead = at.map_or_else(|| setting.to_owned(), |at| origins[at].lead(setting));
        problems.push(Problem::Refused {
            lead,
            expected,
            found,
        });
    };
    if let Some(owner) = &config.unix_owner {
        let (name, group_name) = owner.split_once(':').unwrap_or((owner, ""));
        match (name.is_empty(), user(name)) {
            (true, _) => {}
            (_, Ok(user)) => config.unix_owner_ids.0 = Some(user.id),
            (_, Err(why)) => refuse("unix-owner", why),
        }
        match (group_name.is_empty(), group(group_name)) {
            (true, _) => {}
            (_, Ok(id)) => config.unix_owner_ids.1 = Some(id),
            (_, Err(why)) => refuse("unix-owner", why),
        }
    }
    let own = config.user.as_deref().map(user).transpose();
    let own = own.map_err(|why| refuse("user", why)).ok().flatten();
    let other = config.group.as_deref().map(group).transpose();
    let other = other.map_err(|why| refuse("group", why)).ok().flatten();
    let mut groups = Vec::new();
    for name in &config.groups {
        match group(name) {
            Ok(id) => groups.push(id),
            Err(why) => refuse("groups", why),
        }
    }
    config.identity = match (own, other) {
        (None, None) if groups.is_empty() => None,
        (None, None) => Some(Identity {
            user: None,
            group: Gid::effective().as_raw(),
            groups: vec![Gid::effective().as_raw()],
        }),
        (None, Some(group)) => Some(Identity {
            user: None,
            group,
            groups: vec![group],
        }),
        (Some(account), other) => Some(account.identity(other)),
    };
    if let Some(identity) = config.identity.as_mut().filter(|_| !groups.is_empty()) {
        groups.insert(0, identity.group);
        groups.sort_unstable();
        groups.dedup();
        identity.groups = groups;
    }
    let stays = config.groups.is_empty()
        && config.identity.as_ref().is_none_or(|identity| {
            let user = Uid::effective();
            identity.user.is_none_or(|id| id == user.as_raw())
                && identity.group == Gid::effective().as_raw()
        });
    if !Uid::effective().is_root() && !stays {
        let setting = match (&config.user, &config.group) {
            (Some(_), _) => "user",
            (None, Some(_)) => "group",
            (None, None) => "groups",
        };
        let expected = "to be root, or none but the own user and group".to_owned();
        refuse(setting, (expected, format!("user {}", Uid::effective())));
    }
}

struct Account {
    id: u32,
    group: u32,
    name: Option<CString>,
}

impl Account {
    /// As this user, in this group or the user's own, and in all others that the user is in.
    fn identity(self, group: Option<u32>) -> Identity {
        let group = group.unwrap_or(self.group);
        let named = |name: CString| getgrouplist(&name, Gid::from_raw(group)).ok();
        let groups = self.name.and_then(named).unwrap_or_default();
        let mut groups: Vec<u32> = groups.into_iter().map(Gid::as_raw).collect();
        if !groups.contains(&group) {
            groups.push(group);
        }
        Identity {
            user: Some(self.id),
            group,
            groups,
        }
    }
}

type Missing = (String, String);

/// A user that has no entry can be named by its number; its group then has the same.
fn user(name: &str) -> Result<Account, Missing> {
    let number = name.parse().ok();
    let found = match number {
        Some(number) => User::from_uid(Uid::from_raw(number)),
        None => User::from_name(name),
    };
    match (found, number) {
        (Ok(Some(user)), _) => Ok(Account {
            id: user.uid.as_raw(),
            group: user.gid.as_raw(),
            name: CString::new(user.name).ok(),
        }),
        (_, Some(number)) => Ok(Account {
            id: number,
            group: number,
            name: None,
        }),
        (Ok(None), _) => Err(missing("a user", name, "no such user")),
        (Err(error), _) => Err(missing("a user", name, error.desc())),
    }
}

fn group(name: &str) -> Result<u32, Missing> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(missing("a group", name, "no such group")),
        Err(error) => Err(missing("a group", name, error.desc())),
    }
}

fn missing(what: &str, name: &str, why: &str) -> Missing {
    (format!("{what} of this system"), format!("`{name}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_and_missing_ones_are_told_with_their_setting() {
        let mut config = Config::blank();
        let origins = vec![Origin::Default; SETTINGS.len()];
        let mut problems = Vec::new();
        config.unix_owner = Some("root:0".into());
        look_up(&mut config, &origins, &mut problems);
        assert_eq!(
            (config.unix_owner_ids, problems.len()),
            ((Some(0), Some(0)), 0)
        );
        config.unix_owner = Some(":no.such".into());
        config.user = Some("no.such".into());
        config.group = Some("no.such".into());
        look_up(&mut config, &origins, &mut problems);
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "unix-owner (default): expected a group of this system, found `no.such`: no such group",
                "user (default): expected a user of this system, found `no.such`: no such user",
                "group (default): expected a group of this system, found `no.such`: no such group",
            ]
        );
        assert_eq!(config.identity, None);
    }

    #[test]
    fn a_user_brings_its_group_unless_another_is_named() {
        let root = user("root").unwrap().identity(None);
        assert_eq!((root.user, root.group), (Some(0), 0));
        assert!(root.groups.contains(&0));
        let stranger = user("4000000").unwrap().identity(Some(7));
        assert_eq!((stranger.user, stranger.group), (Some(4_000_000), 7));
        assert_eq!(stranger.groups, [7]);
    }
}
