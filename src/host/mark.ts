/**
 * The mark of a loaded key: the time at which the agent forgets it, by a clock without steps. helper/ssm-ssh-host.sh
 * reads it, too.
 */
import { readFile } from 'node:fs/promises';

interface Clock {
  /** The id of this boot. A mark of another boot or machine is not valid. */
  readonly boot: string;
  /** Seconds. */
  readonly now: number;
}

/** /proc/uptime, which the shell can read without a process. Elsewhere (macOS) the time of day. */
async function readClock(): Promise<Clock> {
  try {
    const [boot, uptime] = await Promise.all(
      ['/proc/sys/kernel/random/boot_id', '/proc/uptime'].map((path) => readFile(path, 'utf8')),
    );
    return { boot: boot?.trim() ?? '', now: Math.floor(Number.parseFloat(uptime ?? '')) };
  } catch {
    return { boot: '-', now: Math.floor(Date.now() / 1000) };
  }
}

/** @param lifetime seconds; 0 for no limit */
export async function markFor(lifetime: number): Promise<string> {
  const { boot, now } = await readClock();
  return `${boot} ${lifetime === 0 ? 0 : now + lifetime}`;
}

export async function isLive(mark: string): Promise<boolean> {
  const { boot, now } = await readClock();
  const [of, until] = mark.split(' ');
  return of === boot && (until === '0' || now < Number(until));
}
