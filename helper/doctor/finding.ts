/** What a check of doctor found, and how to fix it. Pure. */
import { toFailure } from '../../src/errors.ts';
import { shown } from '../../src/keys/shown-text.ts';

export type Status = 'ok' | 'skip' | 'warn' | 'fail';

/** One record of `doctor --json`. */
export interface Finding {
  /** The group and, if there are several of its kind, the subject: `read /ci/deploy-key`. */
  readonly check: string;
  /** `warn`: it works now, or perhaps; `skip`: it could not be checked, or does not apply here. */
  readonly status: Status;
  readonly detail: string;
  /**
   * A command of the shell where one is possible; words in capitals in it are for people to fill in. Otherwise a policy
   * statement, or what to do. Empty: nothing has to be fixed.
   */
  readonly remedy: string;
}

export function ok(check: string, detail: string): Finding {
  return finding('ok', check, { detail, remedy: '' });
}

export function warn(check: string, detail: string, remedy: string): Finding {
  return finding('warn', check, { detail, remedy });
}

export function fail(check: string, detail: string, remedy: string): Finding {
  return finding('fail', check, { detail, remedy });
}

/** @param detail why it is not checked */
export function skip(check: string, detail: string, remedy = ''): Finding {
  return finding('skip', check, { detail, remedy });
}

/** The finding of an error: its code, message and hint. */
export function failed(check: string, error: unknown): Finding {
  if (error instanceof Unmet) return skip(check, error.message);
  const { code, message, hint } = toFailure(error);
  return fail(check, `${code}: ${message}`, hint);
}

/**
 * With a command as its remedy. The hint stays with the message, because it says more.
 *
 * @param command undefined: the finding as it is
 */
export function withCommand(finding: Finding, command: string | undefined): Finding {
  if (command === undefined) return finding;
  return { ...finding, detail: `${finding.detail}: ${finding.remedy}`, remedy: command };
}

/** For a check that needs the other one. */
export function unchecked(check: string, other: string): Finding {
  return skip(check, without(other));
}

function without(other: string): string {
  return `not checked, because this check did not succeed: ${other}`;
}

/** Thrown if a check cannot run, because another one failed or does not apply. */
export class Unmet extends Error {
  override name = 'Unmet';
}

/**
 * The result of another check.
 *
 * @param check the name of the check that reports the failure
 * @throws Unmet
 */
export async function needs<T>(result: Promise<T>, check: string): Promise<T> {
  try {
    return await result;
  } catch (cause) {
    if (cause instanceof Unmet) throw cause;
    throw new Unmet(without(check), { cause });
  }
}

function finding(
  status: Status,
  check: string,
  { detail, remedy }: Pick<Finding, 'detail' | 'remedy'>,
): Finding {
  return { check, status, detail, remedy };
}

/**
 * The finding as it may be printed: other people choose parts of its texts (names, URLs, what hosts answer). runChecks()
 * calls it for every finding.
 */
export function printable({ check, status, detail, remedy }: Finding): Finding {
  return { check: shown(check), status, detail: shown(detail), remedy: shown(remedy) };
}
