<?php
/**
 * What editor.js needs of WordPress.
 *
 * @package Bulle_Chat
 */

return array(
	'dependencies' => array( 'wp-block-editor', 'wp-blocks', 'wp-components', 'wp-element' ),
	'version'      => '0.1.0',
);
