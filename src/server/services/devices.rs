//! Browsers that an account was in before. A cookie says so that nobody else can make: it lets nobody in, but the owner is
//! not made to wait there for what others try elsewhere.

use super::tokens;
use crate::server::db::users::User;
use crate::server::seal::Sealer;
use std::net::IpAddr;

/// Accounts that one browser is known to.
const MOST: usize = 4;

/// Who asks to be let in.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub peer: IpAddr,
    /// The browser's cookie, and what it is proven with.
    device: Option<(Sealer, String)>,
}

impl From<IpAddr> for Visitor {
    /// A browser that nobody knows.
    fn from(peer: IpAddr) -> Self {
        Self { peer, device: None }
    }
}

impl Visitor {
    /// With the cookie of their browser, which may be anything.
    pub fn new(peer: IpAddr, sealer: Sealer, cookie: String) -> Self {
        Self { peer, device: Some((sealer, cookie)) }
    }

    /// The browser's name in the cookie, if the account was in here before and its password, role and block are the
    /// same still.
    pub fn known_to(&self, user: &User) -> Option<&str> {
        let (sealer, cookie) = self.device.as_ref()?;
        entries(cookie).find(|(name, proof)| proves(sealer, user, name, proof)).map(|(name, _)| name)
    }
}

/// The entries of a cookie: a name and its proof.
fn entries(cookie: &str) -> impl Iterator<Item = (&str, &str)> {
    cookie.split('~').take(MOST).filter_map(|entry| entry.split_once('.'))
}

/// What only this service can make: it binds the name to the account in its epoch.
fn proof(sealer: &Sealer, user: &User, name: &str) -> String {
    sealer.fingerprint(&["device", &user.id.to_string(), &user.epoch.to_string(), name])
}

fn proves(sealer: &Sealer, user: &User, name: &str, given: &str) -> bool {
    // Hashes are compared, so that the time it takes tells nothing of the proof.
    tokens::hash(given) == tokens::hash(&proof(sealer, user, name))
}

/// The cookie of a browser that an account is in now, made of the one that it had.
pub fn cookie(sealer: &Sealer, user: &User, before: &str) -> String {
    let mine = |name: &str, given: &str| proves(sealer, user, name, given);
    let name = entries(before).find(|(name, given)| mine(name, given)).map(|(name, _)| name.to_owned());
    let name = name.unwrap_or_else(|| tokens::link().1);
    let first = format!("{name}.{}", proof(sealer, user, &name));
    let others =
        entries(before).filter(|(name, given)| !mine(name, given)).map(|(name, given)| format!("{name}.{given}"));
    std::iter::once(first).chain(others).take(MOST).collect::<Vec<_>>().join("~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Role;
    use crate::server::db::testing;

    #[tokio::test]
    async fn a_cookie_is_good_for_its_account_and_epoch_alone() {
        let (db, _folder) = testing::sqlite().await;
        let sealer = |secret: &str| Sealer::new(&secret.to_owned().into());
        let (ours, theirs) = (sealer("0123456789abcdef0123456789abcdef"), sealer("another secret, just as long as it"));
        let mut users = Vec::new();
        for n in 0..6 {
            users.push(testing::user(&db, &format!("u{n}@example.org"), Role::User).await);
        }
        let knows = |sealer: &Sealer, cookie: &str, user: &User| {
            let visitor = Visitor::new([192, 0, 2, 1].into(), sealer.clone(), cookie.to_owned());
            visitor.known_to(user).map(ToOwned::to_owned)
        };
        let one = cookie(&ours, &users[0], "");
        let name = knows(&ours, &one, &users[0]).expect("it was in here");
        assert_eq!(knows(&ours, &one, &users[1]), None, "another account");
        assert_eq!(knows(&theirs, &one, &users[0]), None, "another secret");
        assert_eq!(knows(&ours, &one, &User { epoch: 1, ..users[0].clone() }), None, "a new password");
        assert_eq!(knows(&ours, &one.replace('.', "x."), &users[0]), None, "another name");
        for nonsense in ["", "~", ".", "a.b~c.d", &"x.y~".repeat(10_000)] {
            assert_eq!(knows(&ours, nonsense, &users[0]), None);
        }
        let again = cookie(&ours, &users[0], &one);
        assert_eq!(again, one, "the name stays, or tries would begin anew");
        let mut all = one;
        for user in &users[1..] {
            all = cookie(&ours, user, &all);
        }
        let known = users.iter().filter(|user| knows(&ours, &all, user).is_some()).count();
        assert_eq!((known, knows(&ours, &all, &users[0])), (MOST, None), "the oldest make room");
        assert!(!name.is_empty() && all.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)));
    }
}
