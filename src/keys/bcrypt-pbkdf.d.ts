/** What is used of bcrypt-pbkdf, which declares no types. Lengths are in bytes; answers 0 where it worked. */
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
