/** Where a git credential is stored, as a user names it. Pure. */
import { Failure } from '../../src/errors.ts';
import { parseReference, type Reference } from '../../src/keys/reference.ts';

/** As tokens of github.com, GitLab and Bitbucket begin. */
const tokenText = /^(gh[a-z]_|github_pat_|gl(pat|dt|cbt|rt)-|AT(BB|CTT|ATT))/;

/**
 * @param place where it is written, for the message
 * @throws INPUT_INVALID
 */
export function parseCredentialReference(text: string, place: string): Reference {
  if (tokenText.test(text)) {
    throw new Failure('INPUT_INVALID', `${place} has a token itself, where its name in AWS belongs`, {
      hint: 'store the token with aws ssm put-parameter, write its name here, and replace the token',
    });
  }
  try {
    return parseReference(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // What stands there may be the password itself, and is not repeated.
    throw new Failure(error.code, `${place} is not the name of a parameter or a secret`, {
      hint: 'write /NAME, secretsmanager:NAME[:json-key], or the ARN of a parameter or a secret, where the credential is stored',
    });
  }
}
