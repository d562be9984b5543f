/** A repository's deploy keys, wherever the repository is. The rotation of a key needs nothing else of a host. Pure. */

export interface DeployKey {
  /** The host's own number for it. */
  readonly id: string;
  readonly title: string;
  /** The wire form of the public key: the only thing by which two keys are compared. */
  readonly blob: Buffer;
  readonly readOnly: boolean;
}

export interface NewDeployKey {
  readonly title: string;
  /** `TYPE BASE64 [COMMENT]` */
  readonly publicKey: string;
  readonly readOnly: boolean;
}

/** All methods throw CREDENTIAL_INVALID, PROVIDER_FAILED, NETWORK_UNREACHABLE, TIMEOUT. */
export interface DeployKeys {
  /** The repository in messages: `acme/lib on github.com`. */
  readonly place: string;
  /** The ssh address for git. */
  url(): Promise<string>;
  list(): Promise<readonly DeployKey[]>;
  /** Succeeds if the repository has the key already: an answer may have been lost. */
  add(key: NewDeployKey): Promise<void>;
  /** Succeeds if the key is gone already. */
  remove(key: DeployKey): Promise<void>;
}

/** The wire form in a public key's line; empty if there is none. */
export function blobOf(publicKey: string): Buffer {
  return Buffer.from(publicKey.trim().split(/\s+/)[1] ?? '', 'base64');
}
