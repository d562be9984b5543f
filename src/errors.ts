/** The closed catalogue of what can go wrong. Every error that a user sees is a Failure with one of these codes. Pure. */
import { withoutSecrets } from './keys/secret-text.ts';
import { visible } from './keys/visible-text.ts';

/** Code → its meaning in one line. docs/errors.md is generated from it. */
export const catalogue = {
  INPUT_INVALID: 'an input, an option or a setting is wrong',
  REGION_MISSING: 'no AWS region is known for a key',
  OIDC_UNAVAILABLE: 'the job may not ask for an OIDC token, and has no other credentials',
  OIDC_REQUEST_FAILED: 'GitHub did not give the job its OIDC token',
  ASSUME_ROLE_DENIED: 'AWS STS refused the role',
  ACCOUNT_NOT_ALLOWED: 'the credentials belong to an account that is not allowed',
  CREDENTIALS_MISSING: 'there are no AWS credentials, or AWS does not accept them',
  CREDENTIALS_EXPIRED: 'the AWS credentials have expired',
  KEY_NOT_FOUND: 'no parameter, secret or KMS key of that name',
  KEY_VERSION_NOT_FOUND: 'the parameter or secret has no such version or label',
  KEY_ACCESS_DENIED:
    'reading or storing the parameter or secret, or signing with the KMS key, is not allowed',
  KMS_ACCESS_DENIED: 'decrypting or encrypting with its KMS key is not allowed',
  KMS_KEY_UNUSABLE: 'the KMS key is disabled, being deleted or gone',
  KEY_NOT_DECRYPTED: 'the value is still encrypted',
  KEY_FIELD_MISSING: 'the secret has no such JSON key',
  KEY_EMPTY: 'the value is empty',
  KEY_NOT_PRIVATE: 'the value is not a private key',
  KEY_MALFORMED: 'the value is a damaged private key or certificate',
  KEY_UNSUPPORTED: 'the private key or certificate is of a type or format that OpenSSH cannot use',
  KEY_ENCRYPTED: 'the private key needs a passphrase',
  PASSPHRASE_WRONG: 'the passphrase does not open the private key',
  AGENT_NOT_FOUND: 'ssh-agent is not installed, or no agent answers',
  AGENT_FAILED: 'ssh-agent failed, or refused a key',
  SSH_NOT_FOUND: 'ssh is not installed',
  GIT_NOT_FOUND: 'git is not installed',
  STATE_UNSAFE: 'no folder for the state belongs only to this user',
  KNOWN_HOSTS_INVALID: 'a host key line is wrong, or a host key is missing',
  THROTTLED: 'AWS is limiting the rate of calls',
  NETWORK_UNREACHABLE: 'a service could not be reached',
  TIMEOUT: 'it took longer than allowed',
  CREDENTIAL_INVALID: 'the stored git credential cannot be used',
  PROVIDER_FAILED: 'a service answered with an error',
  TARGET_NOT_FOUND: 'no EC2 host matches',
  TARGET_AMBIGUOUS: 'more than one EC2 host matches',
  SESSION_FAILED: 'the Session Manager session could not be opened or kept',
  TUNNEL_FAILED: 'the tunnel to the host broke',
  INSTANCE_CONNECT_FAILED: 'EC2 Instance Connect refused the key',
  SIGNATURE_REFUSED: 'the key does not sign this',
  INTERNAL: 'a defect of this program',
} as const;

export type Code = keyof typeof catalogue;

const usageCodes: ReadonlySet<Code> = new Set(['INPUT_INVALID', 'REGION_MISSING', 'KNOWN_HOSTS_INVALID']);

/** Characters of a message or a hint. An input of a megabyte must not become a line of the log. */
const longest = 8000;

/** After secrets were hidden: half of a secret does not look like one. */
function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

export class Failure extends Error {
  readonly code: Code;
  /** The command, the setting or the policy statement that fixes it. */
  readonly hint: string;

  /**
   * @param message what happened, and to which resource: lower case, no full stop, never key or token text
   */
  constructor(code: Code, message: string, { hint, cause }: { hint: string; cause?: unknown }) {
    // A usage error repeats user input, which may hold a pasted secret. AWS's text may hold control characters.
    const shown = (text: string): string => cut(visible(usageCodes.has(code) ? withoutSecrets(text) : text));
    super(shown(message), cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.code = code;
    this.hint = shown(hint);
  }

  /** 2 where the user's input or configuration is wrong, 1 for anything else. */
  get exitCode(): 1 | 2 {
    return usageCodes.has(this.code) ? 2 : 1;
  }

  /** Exactly two lines: in a job, another line could be a command to the runner. */
  render(program: string): string {
    return `${program}: ${this.code}: ${this.message}\nhint: ${this.hint}`;
  }
}

/** Whether the disk, the user's quota or the process's own limit of a file's size is reached. The file's name does not matter then. */
export function isFull(error: unknown): boolean {
  return (
    error instanceof Error &&
    ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String((error as { code?: unknown }).code))
  );
}

/** Whether this process or the whole machine can open no more files. */
export function isOutOfFiles(error: unknown): boolean {
  return error instanceof Error && ['EMFILE', 'ENFILE'].includes(String((error as { code?: unknown }).code));
}

/** Converts any thrown value to a Failure. Everything that is not a Failure is a defect (INTERNAL). */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Error && isFull(error)) {
    return new Failure('STATE_UNSAFE', `a file cannot be written: ${error.message}`, {
      hint: 'free space on that disk (df -h, df -i), or raise ulimit -f, then run it again',
      cause: error,
    });
  }
  if (error instanceof Error && isOutOfFiles(error)) {
    return new Failure('STATE_UNSAFE', `no more files can be opened: ${error.message}`, {
      hint: 'raise the limit of open files (ulimit -n), or end the program that has so many files open',
      cause: error,
    });
  }
  // A thrown value that is not an Error is not shown: it may hold anything.
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `a ${typeof error} was thrown`;
  return new Failure('INTERNAL', what, {
    hint: 'please report this with the log of the step; it holds no secrets',
    cause: error,
  });
}
