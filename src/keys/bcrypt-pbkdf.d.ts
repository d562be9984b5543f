/** The part of bcrypt-pbkdf that is used here; the package has no types. Lengths are in bytes. Returns 0 on success. */
declare module 'bcrypt-pbkdf' {
  export function pbkdf(
    ...args: [
      password: Uint8Array,
      passwordLength: number,
      salt: Uint8Array,
      saltLength: number,
      key: Uint8Array,
      keyLength: number,
      rounds: number,
    ]
  ): number;
}
