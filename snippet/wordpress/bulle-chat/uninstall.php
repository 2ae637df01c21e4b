<?php
/**
 * Removes the plugin's option.
 *
 * @package Bulle_Chat
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

if ( is_multisite() ) {
	$bulle_chat_sites = get_sites(
		array(
			'fields' => 'ids',
			'number' => 0,
		)
	);
	foreach ( $bulle_chat_sites as $bulle_chat_site ) {
		switch_to_blog( $bulle_chat_site );
		delete_option( 'bulle_chat' );
		restore_current_blog();
	}
} else {
	delete_option( 'bulle_chat' );
}
