<?php
/**
 * Who the visitor is, for visitors who are signed in to WordPress.
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
 * A JWT that says who is signed in, signed with the identity secret; nothing without one, or when nobody is signed in.
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
		// Users of another WordPress of the same account are other people.
		'sub'   => wp_parse_url( home_url(), PHP_URL_HOST ) . ':' . get_current_blog_id() . ':' . $user->ID,
		'tier'  => $options['tier'],
		'name'  => $user->display_name,
		'email' => $user->user_email,
		// The life of a visit: the page hands it over once.
		'exp'   => time() + 8 * HOUR_IN_SECONDS,
	);
	/**
	 * What the chat is told of a signed-in visitor, such as a `tier` that depends on what they have bought.
	 *
	 * @param array   $claims See docs/identity.md of Bulle.
	 * @param WP_User $user   Who is signed in.
	 */
	$claims = apply_filters( 'bulle_chat_claims', $claims, $user );
	// Pages that hold it are one visitor's.
	if ( ! defined( 'DONOTCACHEPAGE' ) ) {
		// phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals -- The name that caches of whole pages look for.
		define( 'DONOTCACHEPAGE', true );
	}
	$header = array(
		'alg' => 'HS256',
		'typ' => 'JWT',
	);
	$signed = bulle_chat_base64url( wp_json_encode( $header ) ) . '.' . bulle_chat_base64url( wp_json_encode( $claims ) );
	return $signed . '.' . bulle_chat_base64url( hash_hmac( 'sha256', $signed, $options['secret'], true ) );
}
