<?php
/**
 * The identity of visitors who are signed in to WordPress.
 *
 * @package Bulle_Chat
 */

defined( 'ABSPATH' ) || exit;

/**
 * Base64 for addresses, without padding (RFC 7515, section 2).
 *
 * @param string $bytes Any bytes.
 * @return string
 */
function bulle_chat_base64url( $bytes ) {
	// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- A JWT is made of it.
	return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' );
}

/**
 * The JWT of the signed-in user, signed with the identity secret; empty without a secret or a signed-in user.
 *
 * @return string
 */
function bulle_chat_identity() {
	$options = bulle_chat_options();
	$user    = wp_get_current_user();
	if ( '' === $options['secret'] || ! $user->exists() ) {
		return '';
	}
	$claims = array(
		// The user ids of several WordPress sites of one account must not collide.
		'sub'   => wp_parse_url( home_url(), PHP_URL_HOST ) . ':' . get_current_blog_id() . ':' . $user->ID,
		'tier'  => $options['tier'],
		'name'  => $user->display_name,
		'email' => $user->user_email,
		// As long as a visit lasts, because the page passes it once.
		'exp'   => time() + 8 * HOUR_IN_SECONDS,
	);
	/**
	 * The claims about a signed-in visitor, such as a `tier` that depends on their purchases.
	 *
	 * @param array   $claims See docs/identity.md of Bulle.
	 * @param WP_User $user   The signed-in user.
	 */
	$claims = apply_filters( 'bulle_chat_claims', $claims, $user );
	// A page that contains the JWT must not be cached for other visitors.
	if ( ! defined( 'DONOTCACHEPAGE' ) ) {
		// phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals -- The name that page caches look for.
		define( 'DONOTCACHEPAGE', true );
	}
	$header = array(
		'alg' => 'HS256',
		'typ' => 'JWT',
	);
	$signed = bulle_chat_base64url( wp_json_encode( $header ) ) . '.' . bulle_chat_base64url( wp_json_encode( $claims ) );
	return $signed . '.' . bulle_chat_base64url( hash_hmac( 'sha256', $signed, $options['secret'], true ) );
}
