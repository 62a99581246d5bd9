/** Books in shared memory, for threads that must not wait for a message: `import { SharedBook } from 'depthwire/shared'`. */
export { DepthwireError } from '../errors.js';
export { allocateSharedBook } from './book-record.js';
export {
  SharedBook,
  type SharedBookOptions,
  type SharedBookReason,
  type SharedBookState,
} from './shared-book.js';
