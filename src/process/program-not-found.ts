/** The error for a program that is not on PATH. In a file of its own, because most importers start no program. Pure. */
export class ProgramNotFound extends Error {
  override name = 'ProgramNotFound';
}
