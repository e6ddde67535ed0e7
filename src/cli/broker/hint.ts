/** What every refusal of a wrong call of the broker ends in. */
export const HINT = 'See "apie help broker".'
