/** The user of this process, who may have no entry in the list of accounts (containers). */
import { userInfo } from 'node:os';

/** -1 on Windows, which has none. */
export function userId(): number {
  return process.geteuid?.() ?? -1;
}

/** OpenSSH's `~`; undefined without an account, for which OpenSSH does not run. */
export function homeOfAccount(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}
