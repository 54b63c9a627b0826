declare module "*.css" {
  /** The style sheet, bundled. */
  const text: string;
  export default text;
}
