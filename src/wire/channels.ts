/** All channels that there are: `channel.trades` of the client. */
export { bbo, book, depth } from './book-subscription.js';
export { costs } from './costs-subscription.js';
export { ticker, trading } from './facts-subscription.js';
export { orders } from './orders-subscription.js';
export { signals } from './signals-subscription.js';
export { status } from './status-subscription.js';
export { liquidations, trades } from './trades-subscription.js';
export { volumes } from './volumes-subscription.js';
