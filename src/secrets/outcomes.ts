/** From the outcomes of single references to the secrets of all. */
import { Failure } from '../errors.ts';
import { identityOf, type Reference } from '../keys/reference.ts';
import type { Outcome, Secret } from './source.ts';

/**
 * @param read gets each reference once, and returns an outcome for each, in any order
 * @returns the secrets in the order of the references
 * @throws the errors of all references in one Failure
 */
export async function secretsOf(
  references: readonly Reference[],
  read: (wanted: readonly Reference[]) => Promise<readonly Outcome[]>,
): Promise<Secret[]> {
  const wanted = [...new Map(references.map((reference) => [identityOf(reference), reference])).values()];
  const outcomes = allOf(await read(wanted));
  const secrets = new Map(outcomes.map((secret) => [identityOf(secret.reference), secret]));
  return references.map((reference) => ({ ...found(secrets.get(identityOf(reference))), reference }));
}

/** Every key is required. The error lists all problems at once. */
function allOf(outcomes: readonly Outcome[]): Secret[] {
  const failures = outcomes.filter((outcome) => outcome instanceof Failure);
  const [first] = failures;
  if (!first) return outcomes.filter((outcome): outcome is Secret => !(outcome instanceof Failure));
  if (failures.length === 1) throw first;
  const unique = (lines: readonly string[]): string => [...new Set(lines)].join('; ');
  throw new Failure(first.code, unique(failures.map(({ message }) => message)), {
    hint: unique(failures.map(({ hint }) => hint)),
    cause: new AggregateError(failures),
  });
}

function found(secret: Secret | undefined): Secret {
  if (!secret) throw new TypeError('a reference has no secret');
  return secret;
}
