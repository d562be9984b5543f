/** `REFERENCE [username=NAME] REPOSITORY …`: a credential for HTTPS, and what it is for. Pure. */
import type { Reference } from '../../src/keys/reference.ts';
import { parseRepositoryPattern, type RepositoryPattern } from '../../src/keys/routes.ts';
import { parseCredentialReference } from '../command-line/credential-reference.ts';
import { invalid } from '../command-line/parse.ts';

export interface CredentialLine {
  readonly reference: Reference;
  readonly username: string | undefined;
  readonly repositories: readonly RepositoryPattern[];
}

const form = "write --credential 'REF [username=NAME] REPOSITORY', for example /ci/token github.com/acme";

/** @throws INPUT_INVALID */
export function parseCredentialLine(line: string): CredentialLine {
  const [reference = '', ...words] = line.trim().split(/\s+/);
  const options = words.filter((word) => word.includes('='));
  const names = options.map((option) => /^username=(.+)$/.exec(option)?.[1]);
  if (names.length > 1 || names.includes(undefined))
    // What stands behind the = may be a password.
    throw invalid('--credential has an option that it does not know, or one without a value', form);
  const repositories = words.filter((word) => !word.includes('=')).map(parseRepositoryPattern);
  // It would be sent to whatever host a submodule names.
  if (repositories.length === 0) throw invalid('--credential does not say which host it is for', form);
  return { reference: parseCredentialReference(reference, '--credential'), username: names[0], repositories };
}
