/** Why the agent in front did not sign for an ssh that has just failed. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Failure } from '../../src/errors.ts';
import { fingerprint } from '../../src/keys/public-key.ts';
import { parsePublicKeyLine } from '../../src/keys/public-key-line.ts';
import { lastFailure, readUses } from '../../src/kms/front/control.ts';

/** Milliseconds before the end of ssh. A signature takes up to ten seconds. */
const span = 15_000;

/**
 * The agent does not know which process asks. What it refused before this ssh began belongs to another connection.
 *
 * @param agent the socket that ssh used
 * @param args what ssh was given
 * @param began milliseconds since 1970, when this ssh had not been started yet; undefined if nobody knows
 * @returns undefined if it did sign, or if the agent is OpenSSH's
 */
export async function signatureFailure(
  agent: string,
  args: readonly string[],
  began: number | undefined,
): Promise<Failure | undefined> {
  const control = join(dirname(agent), 'control');
  if (agent === '' || !existsSync(control)) return undefined;
  const page = await readUses(control, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  if (!page) return undefined;
  const since = new Date(Math.max(Date.now() - span, began ?? 0)).toISOString();
  const keys = await keysIn(args);
  return keys.map((key) => lastFailure(page.uses, { key, since })).find(Boolean);
}

/** The fingerprints of the public keys that ssh was given; undefined for a certificate, whose key is not compared. */
async function keysIn(args: readonly string[]): Promise<(string | undefined)[]> {
  const files = args.flatMap((arg) => {
    const [, path] = /^IdentityFile="(.*)"$/.exec(arg) ?? [];
    return path === undefined ? [] : [path.replaceAll('%%', '%')];
  });
  return await Promise.all(
    files.map(async (file) => {
      try {
        return fingerprint(parsePublicKeyLine(await readFile(file, 'utf8'), file));
      } catch {
        return undefined;
      }
    }),
  );
}
