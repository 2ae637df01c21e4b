<?php
/**
 * The page Settings → Bulle Chat.
 *
 * @package Bulle_Chat
 */

defined( 'ABSPATH' ) || exit;

/** Registers the option, which options.php then stores for those who may, with a nonce. */
function bulle_chat_register() {
	register_setting(
		'bulle-chat',
		BULLE_CHAT_OPTION,
		array(
			'type'              => 'array',
			'sanitize_callback' => 'bulle_chat_sanitize',
			'show_in_rest'      => false,
		)
	);
	add_settings_section( 'bulle-chat', '', '__return_null', 'bulle-chat' );
	$fields = array(
		'edge'   => __( 'Address of the edge', 'bulle-chat' ),
		'site'   => __( 'Site key', 'bulle-chat' ),
		'where'  => __( 'Where the bubble is shown', 'bulle-chat' ),
		'secret' => __( 'Identity secret', 'bulle-chat' ),
		'tier'   => __( 'Tier of signed-in visitors', 'bulle-chat' ),
	);
	foreach ( $fields as $name => $label ) {
		$details = 'where' === $name ? array() : array( 'label_for' => 'bulle-chat-' . $name );
		add_settings_field( $name, $label, 'bulle_chat_field_' . $name, 'bulle-chat', 'bulle-chat', $details );
	}
}
add_action( 'admin_init', 'bulle_chat_register' );

/** Adds the page to the menu. */
function bulle_chat_menu() {
	$title = __( 'Bulle Chat', 'bulle-chat' );
	add_options_page( $title, $title, 'manage_options', 'bulle-chat', 'bulle_chat_page' );
}
add_action( 'admin_menu', 'bulle_chat_menu' );

/**
 * The link to the page in the list of plugins.
 *
 * @param string[] $links The others.
 * @return string[]
 */
function bulle_chat_links( $links ) {
	$page = admin_url( 'options-general.php?page=bulle-chat' );
	array_unshift( $links, '<a href="' . esc_url( $page ) . '">' . esc_html__( 'Settings', 'bulle-chat' ) . '</a>' );
	return $links;
}
add_filter( 'plugin_action_links_' . plugin_basename( BULLE_CHAT_FILE ), 'bulle_chat_links' );

/**
 * An origin, as in `https://chat.example.com`, of a typed or pasted text; empty when there is none in it. Plain HTTP
 * is accepted on this machine only.
 *
 * @param string $text Any text.
 * @return string
 */
function bulle_chat_origin( $text ) {
	$parts  = wp_parse_url( $text );
	$host   = isset( $parts['host'] ) ? strtolower( $parts['host'] ) : '';
	$scheme = isset( $parts['scheme'] ) ? strtolower( $parts['scheme'] ) : '';
	$local  = in_array( $host, array( 'localhost', '127.0.0.1', '[::1]' ), true );
	if ( ! preg_match( '/^(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/', $host ) || isset( $parts['user'] ) ) {
		return '';
	}
	if ( 'https' !== $scheme && ! ( 'http' === $scheme && $local ) ) {
		return '';
	}
	return $scheme . '://' . $host . ( isset( $parts['port'] ) ? ':' . (int) $parts['port'] : '' );
}

/**
 * The settings to be stored from the submitted form. An invalid value is reported, and the earlier one stays.
 *
 * @param mixed $sent The values of the form.
 * @return array
 */
function bulle_chat_sanitize( $sent ) {
	$before = bulle_chat_options();
	$sent   = is_array( $sent ) ? $sent : array();
	// The values as they were sent: below, each is checked for allowed characters, and refused instead of corrected.
	$text   = static function ( $name ) use ( $sent ) {
		return isset( $sent[ $name ] ) && is_string( $sent[ $name ] ) ? trim( $sent[ $name ] ) : '';
	};
	$refuse = static function ( $name, $message ) {
		add_settings_error( BULLE_CHAT_OPTION, 'bulle-chat-' . $name, $message );
	};
	$after  = $before;

	$edge          = bulle_chat_origin( $text( 'edge' ) );
	$after['edge'] = $edge;
	if ( '' === $edge && '' !== $text( 'edge' ) ) {
		$after['edge'] = $before['edge'];
		$refuse( 'edge', __( 'The address of the edge was not saved: enter one that begins with https://, such as https://chat.example.com.', 'bulle-chat' ) );
	}

	$after['site'] = $text( 'site' );
	if ( '' !== $after['site'] && ! preg_match( '/^[A-Za-z0-9_-]{1,64}$/', $after['site'] ) ) {
		$after['site'] = $before['site'];
		$refuse( 'site', __( 'The site key was not saved: it has letters, digits, - and _ only, 64 at most. Copy it from the owner’s console or from your bulle.toml.', 'bulle-chat' ) );
	}

	if ( in_array( $text( 'where' ), array( 'everywhere', 'guests', 'shortcode' ), true ) ) {
		$after['where'] = $text( 'where' );
	}

	$tier = $text( 'tier' );
	if ( preg_match( '/^[A-Za-z0-9_-]{1,40}$/', $tier ) ) {
		$after['tier'] = $tier;
	} elseif ( '' !== $tier ) {
		$refuse( 'tier', __( 'The tier was not saved: it has letters, digits, - and _ only, 40 at most, such as free or premium.', 'bulle-chat' ) );
	}

	// The secret is never printed, so an empty field says nothing about it.
	$secret = $text( 'secret' );
	if ( ! empty( $sent['forget'] ) ) {
		$after['secret'] = '';
	} elseif ( '' !== $secret && ! preg_match( '/^[!-~]{16,200}$/', $secret ) ) {
		$refuse( 'secret', __( 'The identity secret was not saved: it has 16 to 200 characters and no spaces. Copy it once more as the edge has shown it.', 'bulle-chat' ) );
	} elseif ( '' !== $secret ) {
		$after['secret'] = $secret;
	}
	return $after;
}

/**
 * A line of text.
 *
 * @param string $name        Of the setting.
 * @param string $type        Of the input.
 * @param string $value       Its value.
 * @param string $placeholder An example.
 * @param string $help        Its description.
 */
function bulle_chat_input( $name, $type, $value, $placeholder, $help ) {
	printf(
		'<input class="regular-text" type="%s" id="bulle-chat-%s" name="%s[%s]" value="%s" placeholder="%s" autocomplete="%s" spellcheck="false" aria-describedby="bulle-chat-%s-help"><p class="description" id="bulle-chat-%s-help">%s</p>',
		esc_attr( $type ),
		esc_attr( $name ),
		esc_attr( BULLE_CHAT_OPTION ),
		esc_attr( $name ),
		esc_attr( $value ),
		esc_attr( $placeholder ),
		'password' === $type ? 'new-password' : 'off',
		esc_attr( $name ),
		esc_attr( $name ),
		esc_html( $help )
	);
}

/** The edge. */
function bulle_chat_field_edge() {
	bulle_chat_input( 'edge', 'url', bulle_chat_options()['edge'], 'https://chat.example.com', __( 'Where your Bulle runs, without a path.', 'bulle-chat' ) );
}

/** The site key. */
function bulle_chat_field_site() {
	$origin = bulle_chat_origin( home_url() );
	/* translators: %s: the address of this WordPress, such as https://www.example.com */
	$help = sprintf( __( 'It is public. The origins of this site in Bulle must contain %s.', 'bulle-chat' ), '' === $origin ? home_url() : $origin );
	bulle_chat_input( 'site', 'text', bulle_chat_options()['site'], '', $help );
}

/** Where it is shown. */
function bulle_chat_field_where() {
	$choices = array(
		'everywhere' => __( 'On every page', 'bulle-chat' ),
		'guests'     => __( 'On every page, but not to visitors who are signed in', 'bulle-chat' ),
		'shortcode'  => __( 'Only inside pages, where the shortcode [bulle_chat] or the block stands', 'bulle-chat' ),
	);
	$chosen  = bulle_chat_options()['where'];
	echo '<fieldset><legend class="screen-reader-text">' . esc_html__( 'Where the bubble is shown', 'bulle-chat' ) . '</legend>';
	foreach ( $choices as $value => $label ) {
		printf(
			'<label><input type="radio" name="%s[where]" value="%s" %s> %s</label><br>',
			esc_attr( BULLE_CHAT_OPTION ),
			esc_attr( $value ),
			checked( $chosen, $value, false ),
			esc_html( $label )
		);
	}
	echo '</fieldset>';
}

/** The secret: whether there is one, never which. */
function bulle_chat_field_secret() {
	$is_set = '' !== bulle_chat_options()['secret'];
	$help   = $is_set
		? __( 'One is stored and is not shown again. Leave this empty to keep it.', 'bulle-chat' )
		: __( 'Optional. With it, visitors who are signed in here keep their conversations on every device: the chat is told their number, name and e-mail address.', 'bulle-chat' );
	bulle_chat_input( 'secret', 'password', '', '', $help );
	if ( $is_set ) {
		printf(
			'<label><input type="checkbox" name="%s[forget]" value="1"> %s</label>',
			esc_attr( BULLE_CHAT_OPTION ),
			esc_html__( 'Forget the stored secret', 'bulle-chat' )
		);
	}
}

/** The tier. */
function bulle_chat_field_tier() {
	bulle_chat_input( 'tier', 'text', bulle_chat_options()['tier'], 'free', __( 'One of the bot’s tiers, which says how often they may write: free and premium, unless you have made others.', 'bulle-chat' ) );
}

/** The page. */
function bulle_chat_page() {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	$options = bulle_chat_options();
	echo '<div class="wrap"><h1>' . esc_html( get_admin_page_title() ) . '</h1>';
	if ( '' === $options['edge'] || '' === $options['site'] ) {
		echo '<div class="notice notice-info inline"><p>' . esc_html__( 'The chat is not shown yet: enter the address of the edge and the site key.', 'bulle-chat' ) . '</p></div>';
	}
	echo '<form action="options.php" method="post">';
	settings_fields( 'bulle-chat' );
	do_settings_sections( 'bulle-chat' );
	submit_button();
	echo '</form></div>';
}
