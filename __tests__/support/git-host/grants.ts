/** Which key may access which repository, in files that sshd and the forced command read. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprintOf } from '../ssh-keys.ts';

export interface DeployKey {
  readonly repository: string;
  readonly publicKey: string;
  /** The key signs certificates, and only these are accepted. Only sshd supports certificates. */
  readonly authority?: boolean;
  readonly write?: boolean;
}

export interface UserKey {
  readonly user: string;
  readonly publicKey: string;
  readonly repositories: readonly string[];
}

interface KnownKey {
  readonly publicKey: string;
  readonly options: string;
  readonly grantFile: string;
}

/** Repositories have one spelling on disk: GitHub ignores the case of owner and name. */
export const repositoryKey = (name: string): string => name.toLowerCase();

export class Grants {
  /** In authorized_keys(5) form, for `AuthorizedKeysFile`. */
  readonly authorizedKeysFile: string;
  readonly #grantFolder: string;
  readonly #program: string;
  readonly #known = new Map<string, KnownKey>();
  #made = 0;

  constructor(folder: string, program: string) {
    this.authorizedKeysFile = join(folder, 'authorized_keys');
    this.#grantFolder = join(folder, 'grants');
    this.#program = program;
    mkdirSync(this.#grantFolder);
    this.#save();
  }

  addDeployKey({ repository, publicKey, write = false, authority = false }: DeployKey): void {
    const grants = [`${repositoryKey(repository)} ${write ? 'write' : 'read'}`];
    this.#add(
      { publicKey, options: authority ? ',cert-authority,principals="deploy"' : '' },
      repository,
      grants,
    );
  }

  addUserKey({ user, publicKey, repositories }: UserKey): void {
    const grants = repositories.map((repository) => `${repositoryKey(repository)} write`);
    this.#add({ publicKey, options: '' }, user, grants);
  }

  removeKey(publicKey: string): void {
    const fingerprint = fingerprintOf(publicKey);
    const key = this.#known.get(fingerprint);
    if (key === undefined) throw new Error(`no such key: ${fingerprint}`);
    this.#known.delete(fingerprint);
    rmSync(key.grantFile);
    this.#save();
  }

  /** The forced command's arguments for the key with this fingerprint; undefined for an unknown key. */
  argumentsFor(fingerprint: string): readonly string[] | undefined {
    const key = this.#known.get(fingerprint);
    return key && [key.grantFile, fingerprint];
  }

  #add(key: Omit<KnownKey, 'grantFile'>, name: string, grants: readonly string[]): void {
    const { publicKey } = key;
    const fingerprint = fingerprintOf(publicKey);
    // GitHub's message and rule: a key has one identity.
    if (this.#known.has(fingerprint)) throw new Error(`key is already in use: ${fingerprint}`);
    this.#made += 1;
    const grantFile = join(this.#grantFolder, String(this.#made));
    writeFileSync(grantFile, [name, ...grants, ''].join('\n'));
    this.#known.set(fingerprint, { ...key, grantFile });
    this.#save();
  }

  #save(): void {
    const lines = [...this.#known].map(
      ([fingerprint, { publicKey, options, grantFile }]) =>
        `command="'${this.#program}' '${grantFile}' '${fingerprint}'",restrict${options} ${publicKey.trim()}\n`,
    );
    // sshd may be reading, so the file is replaced atomically.
    writeFileSync(`${this.authorizedKeysFile}.new`, lines.join(''), { mode: 0o600 });
    renameSync(`${this.authorizedKeysFile}.new`, this.authorizedKeysFile);
  }
}
