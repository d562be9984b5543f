/** The property of a test file's global object by which its second part is told from the first. */
export const restFlag = Symbol.for('the rest of this test file');
