<?php
/**
 * Plugin Name:       Bulle Chat
 * Description:       An AI chat bubble that answers your visitors from your own documents, with sources.
 * Version:           0.1.0
 * Requires at least: 6.1
 * Requires PHP:      7.4
 * License:           MIT
 * License URI:       https://opensource.org/licenses/MIT
 * Text Domain:       bulle-chat
 * Domain Path:       /languages
 *
 * @package Bulle_Chat
 */

defined( 'ABSPATH' ) || exit;

define( 'BULLE_CHAT_FILE', __FILE__ );

require __DIR__ . '/includes/options.php';
require __DIR__ . '/includes/identity.php';
require __DIR__ . '/includes/page.php';
if ( is_admin() ) {
	require __DIR__ . '/includes/settings.php';
}
