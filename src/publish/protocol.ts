/** Where the feed is, and the subprotocol that a handshake must offer. */
export const FEED_PATH = '/v1/feed';
export const PROTOCOL = 'depthwire.v1';
