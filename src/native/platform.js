// @ts-check
/** Which package has the addon of which platform: `napi.targets` of package.json, as Node names platforms. */

/**
 * @typedef {object} Platform
 * @property {string} platform `process.platform`
 * @property {string} arch `process.arch`
 * @property {'glibc' | 'musl' | ''} libc empty where the system has one only
 */

/** Ends of file and package names by Rust target. @type {Readonly<Record<string, string>>} */
export const SUFFIXES = {
  'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
  'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
  'x86_64-unknown-linux-musl': 'linux-x64-musl',
  'x86_64-apple-darwin': 'darwin-x64',
  'aarch64-apple-darwin': 'darwin-arm64',
  'x86_64-pc-windows-msvc': 'win32-x64-msvc',
};

/** What this process runs on. @returns {Platform} */
export function thisPlatform() {
  const { platform, arch } = process;
  if (platform !== 'linux') return { platform, arch, libc: '' };
  const report = /** @type {{ excludeNetwork?: boolean }} */ (process.report);
  // Names of peers would be asked for, one after the other, of a server that may not answer.
  const before = report.excludeNetwork ?? false;
  report.excludeNetwork = true;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  report.excludeNetwork = before;
  return { platform, arch, libc: header.glibcVersionRuntime === undefined ? 'musl' : 'glibc' };
}

/**
 * End of the names of the addon for a platform, as napi-rs has them; undefined where there is none.
 * @param {Platform} here
 */
export function suffixOf({ platform, arch, libc }) {
  const abi = platform === 'win32' ? '-msvc' : libc === 'glibc' ? '-gnu' : libc === 'musl' ? '-musl' : '';
  const suffix = `${platform}-${arch}${abi}`;
  return Object.values(SUFFIXES).includes(suffix) ? suffix : undefined;
}
