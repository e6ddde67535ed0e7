declare const brand: unique symbol

/** A value of `T` that only its own `parse…` function makes, so that two kinds cannot be mixed up. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
