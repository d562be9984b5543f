/** The error for a program that is not on PATH. In a file of its own: who only tells it apart starts no programs. Pure. */
export class ProgramNotFound extends Error {
  override name = 'ProgramNotFound';
}
