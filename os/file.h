// FILE: whole small files in, each with the checks that its kind deserves, and whole writes out.
//
//   path -> FILE -> identity.h, dsoftbusd and statefs (peers, policy, config, values)
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"
#include "os/fd.h"
#include "os/problem.h"

namespace statefs {

// Reads an operator's file: a regular file of at most `size_max` bytes that not everybody may write to. `noun` is
// what a message calls it: `peers file`.
[[nodiscard]] Result<std::string, Problem> read_text_file(const std::string& noun, const std::string& path, std::size_t size_max);

// Of a file that this program writes to and believes later: what is wrong with who may change it, and what to do; empty where
// that is nobody but root, this user, and a group that the operator chose.
[[nodiscard]] std::string who_else_may_write(const std::string& path, const struct stat& info);

inline constexpr std::string_view is_a_link = "is a symbolic link: name the file itself";

// Reads a secret: also no symbolic link, owned by this user, and no access at all for group and others.
[[nodiscard]] Result<std::string, Problem> read_secret_file(const std::string& noun, const std::string& path,
                                                            std::size_t size_max);

// Reads from a descriptor to its end; a problem where there are more than `size_max` bytes.
[[nodiscard]] Result<Bytes, Problem> read_all(const std::string& noun, int fd, std::size_t size_max);

// Writes everything or returns the errno.
[[nodiscard]] int write_all(int fd, ByteView bytes);

}  // namespace statefs
