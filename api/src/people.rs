//! People who manage tenants: their accounts, roles, sessions and invitations.

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

/// What a person may do in a tenant. Operators of the edge have no role: they may do everything in every tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = people::Role))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything that is the tenant's, and who its people are.
    Owner,
    /// Everything that an owner may do, except that only owners make and remove owners.
    Admin,
    /// Bots, sites and what bots know; reads conversations and costs.
    Editor,
    /// Reads conversations, and labels and annotates them.
    Agent,
    /// Reads, and changes nothing.
    Analyst,
}

impl Role {
    /// Every role, from the most to the least powerful.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Admin,
        Self::Editor,
        Self::Agent,
        Self::Analyst,
    ];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Agent => "agent",
            Self::Analyst => "analyst",
        }
    }
}

/// What a person may do in a tenant whatever their role, when they were given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = people::Right))]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Take the tenant's data out as files: the scope `data:export`.
    Export,
    /// Write code that the edge runs: the scope `code:write`.
    Code,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 2] = [Self::Export, Self::Code];
}

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    /// Their id.
    pub id: Id,
    /// The address that they sign in with, in lower case.
    pub email: String,
    /// Shown to other people.
    pub name: String,
    /// Whether they are an operator: everything in every tenant.
    pub operator: bool,
    /// Unix milliseconds.
    pub created_at: u64,
}

/// A tenant that a person belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    /// Id of the tenant.
    pub tenant_id: String,
    /// Name of the tenant.
    pub tenant_name: String,
    /// What the person may do there.
    pub role: Role,
    /// The bots that the membership is limited to; all when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bots: Option<Vec<String>>,
    /// What the person may do there whatever the role.
    pub rights: Vec<Right>,
}

/// A person of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The person's id.
    pub id: Id,
    /// The address that they sign in with.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The bots that they are limited to; all when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bots: Option<Vec<String>>,
    /// What they may do whatever the role.
    pub rights: Vec<Right>,
    /// Unix milliseconds since when they belong to the tenant.
    pub created_at: u64,
    /// Unix milliseconds of the last change of their membership.
    pub updated_at: u64,
}

/// The fields of a person of a tenant that a merge patch may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// What they may do. A tenant keeps an owner who is not limited to some bots.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub role: Role,
    /// The bots that they are limited to; all with `null`.
    #[cfg_attr(
        feature = "openapi",
        schema(required = false, nullable, min_items = 1, max_items = 100)
    )]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bots: Option<Vec<String>>,
    /// What they may do whatever the role.
    #[cfg_attr(feature = "openapi", schema(required = false, max_items = 2))]
    pub rights: Vec<Right>,
}

/// A session of a person: a browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonSession {
    /// Its id.
    pub id: Id,
    /// Whether the request was made with this session.
    pub current: bool,
    /// The browser, in its own words (`User-Agent`).
    pub user_agent: String,
    /// Unix milliseconds of the sign-in.
    pub created_at: u64,
    /// Unix milliseconds of the last request, to five minutes.
    pub seen_at: u64,
    /// Unix milliseconds after which it is refused, unless requests come before.
    pub expires_at: u64,
    /// Unix milliseconds until which it may do what needs a password of a moment ago (step-up).
    pub proved_until: u64,
}

/// Sessions of a person, the last used first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonSessions {
    /// All that are not expired.
    pub items: Vec<PersonSession>,
}

/// Whoever is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// The person.
    pub person: Person,
    /// The tenants that the person belongs to, in the order of their ids.
    pub memberships: Vec<Membership>,
    /// The session.
    pub session: PersonSession,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

/// New recovery codes: the only time that they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecoveryCodes {
    /// Ten codes. Those of before are good for nothing.
    pub codes: Vec<String>,
}

/// Body of `POST /v1/account/sign-in/recovery`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RecoverySignIn {
    /// The address of the account.
    #[cfg_attr(feature = "openapi", schema(max_length = 254))]
    pub email: String,
    /// A recovery code, however its letters are grouped.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub code: String,
    /// The password from now on: 12 to 256 characters; the old one stays when absent.
    #[cfg_attr(feature = "openapi", schema(min_length = 12, max_length = 256))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_password: Option<String>,
}

/// Body of `POST /v1/account/sign-in`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The address of the account.
    #[cfg_attr(feature = "openapi", schema(max_length = 254))]
    pub email: String,
    /// Its password.
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub password: String,
}

/// Body of `POST /v1/account/step-up`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// The password of the account.
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub password: String,
}

/// Body of `PUT /v1/account/password`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present password.
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub password: String,
    /// The password from now on: 12 to 256 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 12, max_length = 256))]
    pub new_password: String,
}

/// Body of `POST /v1/account/invitations`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The token of the link, which stands after `#invitation=`.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub token: String,
    /// The password of a new account, or of the account with the invited address. A signed-in person needs none.
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<String>,
    /// The name of a new person; the beginning of the address when absent.
    #[cfg_attr(feature = "openapi", schema(max_length = 80))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
}

/// Body of `POST /v1/admin/invitations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOperatorInvitation {
    /// Whom the link is for. Of a person with an account, it sets a new password and ends their sessions.
    #[cfg_attr(feature = "openapi", schema(max_length = 254))]
    pub email: String,
    /// Whether the person becomes an operator. Without, the link only helps a person who has an account.
    #[serde(default)]
    pub operator: bool,
    /// Whether the link is made only where there is no operator yet: for the first person.
    #[serde(default)]
    pub first: bool,
}

/// Body of `POST /v1/admin/tenants/{tenant}/invitations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Whom the link is for.
    #[cfg_attr(feature = "openapi", schema(max_length = 254))]
    pub email: String,
    /// What the person may do: no more than whoever invites.
    pub role: Role,
    /// The bots that the membership is limited to; all when absent.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bots: Option<Vec<String>>,
    /// What the person may do whatever the role; when absent, everything for an owner and nothing for others.
    #[cfg_attr(feature = "openapi", schema(max_items = 2))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rights: Option<Vec<Right>>,
    /// Whether the edge mails the link to the address, too. Its operator has to have set up mail.
    #[serde(default)]
    pub mail: bool,
}

/// Body of `POST /v1/admin/tenants/{tenant}/invitations/{id}/renew`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// Whether the edge mails the new link to the address, too.
    #[serde(default)]
    pub mail: bool,
}

/// An invitation, without its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// Its id.
    pub id: Id,
    /// Whom the link is for.
    pub email: String,
    /// Whether the person becomes an operator.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub operator: bool,
    /// What the person may do in the tenant; absent for a link of the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// The bots that the membership is limited to; all when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bots: Option<Vec<String>>,
    /// What the person may do in the tenant whatever the role.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rights: Vec<Right>,
    /// Unix milliseconds of the making of its link.
    pub created_at: u64,
    /// Unix milliseconds after which it is refused.
    pub expires_at: u64,
}

/// A new invitation: the only time that its link is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedInvitation {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// What `POST /v1/account/invitations` takes, once.
    pub token: String,
    /// The link to the console, whose token stands after `#`, where no server and no log sees it.
    pub url: String,
    /// Whether the mail service has taken a letter with the link.
    pub mailed: bool,
}
