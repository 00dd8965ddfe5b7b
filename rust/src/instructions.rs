//! Loops compiled for several CPUs.
//!
//! The compiler makes vector instructions of loops over fixed blocks, but only such as every CPU of the target has. A
//! function defined by [`for_this_cpu`] is compiled for AVX-512, for AVX2 and for the least that the target has; the best
//! that the CPU offers is chosen at each call. All three come from one source, so they agree.

/// Defines a function that calls another one, which must be `inline(always)`, compiled for the CPU that it runs on.
macro_rules! for_this_cpu {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $call:expr;) => {
        $(#[$doc])*
        #[allow(unsafe_code)]
        fn $name($($argument: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
                fn avx512($($argument: $type),*) -> $result {
                    $call
                }
                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $type),*) -> $result {
                    $call
                }
                if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
                    // SAFETY: the CPU has these instructions, which is all that the function needs.
                    return unsafe { avx512($($argument),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: likewise.
                    return unsafe { avx2($($argument),*) };
                }
            }
            $call
        }
    };
}

pub(crate) use for_this_cpu;
