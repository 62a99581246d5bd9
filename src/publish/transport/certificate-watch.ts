import { DepthwireError } from '../../errors.js';
import { type Certificate, readCertificate, stampOf, type TlsFiles } from './certificate.js';

/** How often the files are looked at. */
const LOOK_MS = 5000;

/** The certificate in use, and whether its files hold another one by now. */
export class CertificateWatch {
  readonly #files: TlsFiles;
  #current: Certificate;
  #before: Certificate;
  /** The files as they were when they were last read. */
  #stamp: string;
  #lookedMs = performance.now();

  /** Throws `serve.certificate`. */
  constructor(files: TlsFiles) {
    this.#files = files;
    this.#stamp = stampOf(files);
    this.#current = readCertificate(files);
    this.#before = this.#current;
  }

  /** The certificate that new connections see. */
  get current(): Certificate {
    return this.#current;
  }

  /** Whether it is time to look at the files again. */
  isDue(nowMs: number): boolean {
    if (nowMs - this.#lookedMs < LOOK_MS) return false;
    this.#lookedMs = nowMs;
    return true;
  }

  /**
   * Looks at the files. Returns the certificate that they hold now, the error for one that cannot be used, once, or
   * undefined where nothing is new.
   */
  reload(): Certificate | DepthwireError | undefined {
    const stamp = stampOf(this.#files);
    if (stamp === this.#stamp) return undefined;
    this.#stamp = stamp;
    try {
      const read = readCertificate(this.#files);
      if (read.fingerprint === this.#current.fingerprint && read.key === this.#current.key) return undefined;
      this.#before = this.#current;
      this.#current = read;
      return read;
    } catch (error) {
      if (error instanceof DepthwireError) return error;
      throw error;
    }
  }

  /** The transport could not use what has been read; it is read again at the next look. */
  failed(cause: unknown): DepthwireError {
    this.#current = this.#before;
    // Not the stamp of any files, so that they are read again.
    this.#stamp = '';
    return new DepthwireError('serve.certificate', {
      what: 'the certificate of the server cannot be used',
      where: this.#files.certFile,
      expected: 'a certificate with its key',
      got: 'files that have changed while they were read',
      fix: 'Nothing, unless this comes again: the files are read again in a moment.',
      cause,
    });
  }
}
