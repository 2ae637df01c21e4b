//! People who manage tenants: what their roles allow, how they sign in, and how long they stay signed in.

pub mod browser;
pub mod email;
pub mod passkey;
pub mod password;
pub mod recovery;
pub mod role;
pub mod session;
pub mod throttle;
pub mod token;

use bulle_protocol::problem::{Code, Problem};

/// The answer to a wrong address and to a wrong password: it does not tell which of them is wrong.
pub fn wrong_credentials() -> Problem {
    Problem::new(
        Code::CredentialsInvalid,
        "No account has this address with this password. Try again, or ask an operator for a link.",
    )
}

/// The answer to an invitation that is unknown, used, revoked or expired: it does not tell which.
pub fn invalid_invitation() -> Problem {
    Problem::new(
        Code::InvitationInvalid,
        "This link was used before, has expired, or was never valid. Ask whoever sent it for a new one.",
    )
}

/// The answer to a change that would leave a tenant without an owner.
pub fn last_owner() -> Problem {
    Problem::new(
        Code::LastOwner,
        "This is the tenant's only owner who reaches all of its bots. Make somebody else an owner first.",
    )
}

/// The answer when the session must first prove the password again.
pub fn step_up_required() -> Problem {
    Problem::new(
        Code::StepUpRequired,
        "Confirm who you are with POST /v1/account/step-up, then repeat the request within 10 minutes.",
    )
}
