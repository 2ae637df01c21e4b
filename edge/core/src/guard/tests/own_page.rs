//! The bot's hosted page, on the edge's origin.

use super::*;

#[test]
fn the_bots_own_page_is_let_in_where_there_is_one_and_nobody_else_for_it() {
    let ports = Fakes::default();
    let at = address();
    let own = Caller {
        origin: Some("https://edge.test"),
        is_own: true,
        address: &at,
    };
    let request = request("demo");
    let opened = block_on(open_session(&ports, &secret(), own, &request)).unwrap();
    let bearer = format!("Bearer {}", opened.token);
    assert!(block_on(admit(&ports, &secret(), own, Some(&bearer))).is_ok());
    // The token is bound to the hosted page's origin: no page of the site can use it.
    let elsewhere = block_on(admit(&ports, &secret(), from(ORIGIN, &at), Some(&bearer)));
    assert_eq!(elsewhere.unwrap_err().code, Code::TokenInvalid);
    let foreign = from(Some("https://edge.test"), &at);
    let refused = block_on(open_session(&ports, &secret(), foreign, &request)).unwrap_err();
    assert_eq!(refused.code, Code::OriginNotAllowed);
    let mut without = site();
    without.key = "without".into();
    without.bot.access.hosted_page = false;
    ports.add_site(without);
    let request = self::request("without");
    let refused = block_on(open_session(&ports, &secret(), own, &request)).unwrap_err();
    assert_eq!(refused.code, Code::OriginNotAllowed);
}
