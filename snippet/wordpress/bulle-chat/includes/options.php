<?php
/**
 * The settings of the plugin.
 *
 * @package Bulle_Chat
 */

defined( 'ABSPATH' ) || exit;

/** The one option of this plugin; uninstall.php removes it. */
const BULLE_CHAT_OPTION = 'bulle_chat';

/**
 * The settings, with the defaults of those that are not set.
 *
 * @return array{edge: string, site: string, where: string, tier: string, secret: string}
 */
function bulle_chat_options() {
	$defaults = array(
		'edge'   => '',
		'site'   => '',
		'where'  => 'everywhere',
		'tier'   => 'free',
		'secret' => '',
	);
	$stored   = get_option( BULLE_CHAT_OPTION );
	return array_merge( $defaults, is_array( $stored ) ? array_intersect_key( $stored, $defaults ) : array() );
}

/** Texts in the language of the site. */
function bulle_chat_languages() {
	load_plugin_textdomain( 'bulle-chat', false, dirname( plugin_basename( BULLE_CHAT_FILE ) ) . '/languages' );
}
// Priority: before the block is registered, because its title is translated then.
add_action( 'init', 'bulle_chat_languages', 5 );
