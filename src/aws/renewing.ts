/** Makes a call again with new credentials, once, if AWS says that the first ones have expired. */
import { Failure } from '../errors.ts';
import { readAwsError } from './failures.ts';

export interface Renewable {
  /** The next call asks for new credentials. Absent: they are fixed. */
  readonly forget?: (() => void) | undefined;
}

/** @param call signs with the credentials of the moment; AWS has done nothing if it refused the first ones */
export async function renewing<T>({ forget }: Renewable, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!forget || !hasExpired(error)) throw error;
    forget();
    return await call();
  }
}

/** @param error of the AWS SDK, or the failure that was made of it */
export function hasExpired(error: unknown): boolean {
  if (!(error instanceof Failure)) return /^(ExpiredToken|RequestExpired)/.test(readAwsError(error).name);
  return error.code === 'CREDENTIALS_EXPIRED' || /^ExpiredToken/.test(readAwsError(error.cause).name);
}
