<?php
/**
 * The output for visitors: the bubble's tag, or the chat inside a page.
 *
 * @package Bulle_Chat
 */

defined( 'ABSPATH' ) || exit;

/**
 * Whether the chat is inside this page; then the page has no bubble.
 *
 * @param bool $now Sets it.
 * @return bool
 */
function bulle_chat_is_inside( $now = false ) {
	static $inside = false;
	$inside        = $inside || $now;
	return $inside;
}

/**
 * Attributes that ask optimisers to leave a script as it is: Rocket Loader of Cloudflare, LiteSpeed, Autoptimize and WP
 * Rocket. They delay scripts until the visitor moves, or run them without their tags, which hold the visitor's identity. The
 * bubble's script is small, does not block the page, and fetches nothing before it is wanted.
 *
 * @return array
 */
function bulle_chat_untouched() {
	return array(
		'data-cfasync'     => 'false',
		'data-no-optimize' => '1',
		'data-no-defer'    => '1',
		'data-noptimize'   => '1',
		'nowprocket'       => true,
	);
}

/** The tag, at the end of the page. */
function bulle_chat_tag() {
	$options = bulle_chat_options();
	if ( '' === $options['edge'] || '' === $options['site'] ) {
		return;
	}
	if ( bulle_chat_is_inside() ) {
		$identity = bulle_chat_identity();
		if ( '' !== $identity ) {
			wp_print_inline_script_tag( '(window.Bulle=window.Bulle||[]).push(' . wp_json_encode( array( 'identify', $identity ) ) . ')', bulle_chat_untouched() );
		}
		wp_print_script_tag(
			array(
				'type' => 'module',
				'src'  => $options['edge'] . '/element.js',
			) + bulle_chat_untouched()
		);
		return;
	}
	$hidden = 'shortcode' === $options['where'] || ( 'guests' === $options['where'] && is_user_logged_in() );
	/**
	 * Whether this page shows the bubble.
	 *
	 * @param bool $shown The value of the settings.
	 */
	if ( ! apply_filters( 'bulle_chat_shown', ! $hidden ) ) {
		return;
	}
	$attributes = array(
		'async' => true,
		'src'   => $options['edge'] . '/s/' . $options['site'] . '.js',
	) + bulle_chat_untouched();
	$identity   = bulle_chat_identity();
	if ( '' !== $identity ) {
		$attributes['data-identity'] = $identity;
	}
	wp_print_script_tag( $attributes );
}
add_action( 'wp_footer', 'bulle_chat_tag' );

/**
 * The chat inside the page: the shortcode `[bulle_chat]` and the block.
 *
 * @return string
 */
function bulle_chat_inside() {
	$options = bulle_chat_options();
	if ( '' === $options['edge'] || '' === $options['site'] ) {
		// Visitors see no error; users who can change the settings do.
		return current_user_can( 'manage_options' )
			? '<p>' . esc_html__( 'The chat appears here once its address and site key are set under Settings → Bulle Chat.', 'bulle-chat' ) . '</p>'
			: '';
	}
	if ( is_feed() ) {
		return '';
	}
	// A shortcode rendered for a summary or for the page's head is not shown to the visitor.
	if ( ! doing_action( 'wp_head' ) && ! doing_filter( 'get_the_excerpt' ) ) {
		bulle_chat_is_inside( true );
	}
	// The identity stands at the end of the page, because other plugins store, search and publish the content.
	return '<bulle-chat site="' . esc_attr( $options['site'] ) . '"></bulle-chat>';
}
add_shortcode( 'bulle_chat', 'bulle_chat_inside' );

/** The block `bulle/chat`. */
function bulle_chat_block() {
	register_block_type(
		dirname( BULLE_CHAT_FILE ) . '/block',
		array( 'render_callback' => 'bulle_chat_inside' )
	);
}
add_action( 'init', 'bulle_chat_block' );
