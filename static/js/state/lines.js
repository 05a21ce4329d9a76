// Lines of JSON out of pieces of text, however they are cut. Pure.

/** Gives take(piece): calls `tell` with each value whose line is whole. */
export function lineReader(tell) {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.trim()) tell(JSON.parse(line));
  };
}
