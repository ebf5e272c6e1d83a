#!/bin/bash
# usage: core_symbols.sh ARCHIVE
# Fails where an archive of core's objects asks for anything impure, or holds a global that can change. C symbols are
# held against a list of what is allowed, so that a new call is looked at; C++ symbols against a list of what is banned.
#
# Unavoidable and allowed: std::__throw_* (containers check their lengths), the exception runtime that inlined library
# code refers to, operator new and delete, and stderr in check.o, where a failed check says so before it aborts.
set -euo pipefail
archive=$1
failed=0

allowed_c='mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp)|__(memcpy|memmove|memset|snprintf|sprintf)_chk|abort|__libc_single_threaded'
allowed_c+='|__stack_chk_fail|__gxx_personality_v0|_Unwind_Resume|__dso_handle|_GLOBAL_OFFSET_TABLE_|DW\.ref\..*'
allowed_c+='|__cxa_(pure_virtual|throw_bad_array_new_length|begin_catch|end_catch|rethrow|throw|allocate_exception|free_exception)'
allowed_c+='|EVP_(CIPHER|MD|MAC|PKEY|KDF)(_CTX)?_(new|new_from_name|new_null|free|fetch|new_from_pkey|up_ref|dup|copy|copy_ex|reset|set_params|get_params|ctrl|get0_.*|get_size)'
allowed_c+='|EVP_(Encrypt|Decrypt|Cipher|Digest)(Init|Init_ex|Init_ex2|Update|Final|Final_ex|FinalXOF)|EVP_Digest|EVP_Cipher|EVP_Q_(digest|mac)'
allowed_c+='|EVP_MAC_(init|update|final)|EVP_PKEY_(fromdata|fromdata_init|set1_encoded_public_key|derive|derive_init|derive_init_ex|derive_set_peer|derive_set_peer_ex)'
allowed_c+='|EVP_PKEY_(new|get)_raw_(private|public)_key(_ex)?|EVP_(chacha20_poly1305|blake2s256|sha256)|EVP_MD_CTX_.*|EVP_CIPHER_CTX_.*'
allowed_c+='|HMAC(_.*)?|SHA256(_.*)?|OSSL_PARAM_construct_.*|OSSL_LIB_CTX_(new|free)|OSSL_PROVIDER_.*|CRYPTO_memcmp|OPENSSL_(cleanse|init_crypto)|ERR_clear_error'
# crc32c asks which instructions there are; what it computes is the same with and without them.
allowed_c+='|__cpu_model'
allowed_in_check='stderr|fprintf|__fprintf_chk'
banned_cxx='std::(chrono|this_thread|thread|jthread|random_device|mersenne|locale|ios_base|filesystem|mutex|recursive_mutex|condition_variable|call_once|__detail|_V2|_Hash_bytes)'
banned_cxx+='|std::(__cxx11::)?basic_(ios|istream|ostream|iostream|ifstream|ofstream|fstream|filebuf|stringbuf|.*stringstream)|std::(cout|cerr|clog|cin)'

undefined=$(nm --undefined-only "$archive" | awk '/^$/ { next } /:$/ { object = $1; next } NF == 2 { print object, $2 }')
[ -n "$(nm "$archive")" ] || { echo "core_symbols: nm shows nothing of $archive" >&2; exit 1; }
bad=$(awk -v allowed="^($allowed_c)\$" -v check="^($allowed_in_check)\$" \
  '$2 ~ /^_Z/ || $2 ~ allowed || ($1 ~ /^check\./ && $2 ~ check) || NF == 0 { next } { print }' <<<"$undefined" | sort -u)
[ -z "$bad" ] || { printf 'core_symbols: not on the list of C symbols:\n%s\n' "$bad"; failed=1; }
bad=$(awk '$2 ~ /^_Z/' <<<"$undefined" | c++filt | awk '{ object = $1; $1 = ""; print object $0 }' | grep -E -e ": ?.*\b($banned_cxx)" | sort -u || true)
[ -z "$bad" ] || { printf 'core_symbols: banned:\n%s\n' "$bad"; failed=1; }
bad=$(objdump --syms "$archive" | awk '/ file format / { object = $1 } / O \.t?(bss|data)/ && !/\.data\.rel\.ro/ && !/ DW\.ref\./ { print object, $NF }' | c++filt)
[ -z "$bad" ] || { printf 'core_symbols: a global that can change:\n%s\n' "$bad"; failed=1; }
exit $failed
