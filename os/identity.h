// IDENTITY: the private key of a device in its file, and the key pair made from it.
//
//   statefs keygen -> FILE -> IDENTITY -> server.h | client.h
//
// The file is text: comments start with `#`, then `private HEX` and `public HEX`, 64 digits each. The public line is
// there to be copied, and is checked against the private one, so that a damaged file is found when it is read. The file
// is created for its owner alone (0600) and never over another file; a file that anybody else may access, that belongs
// to another user, or that is a symbolic link is refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/crypto.h"
#include "core/result.h"
#include "os/problem.h"

namespace statefs {

struct Identity {
  SecretKey secret;
  std::shared_ptr<const DhKey> key;
};

[[nodiscard]] Result<Identity, Problem> load_identity(const Suite& suite, const std::string& path);
[[nodiscard]] Result<PublicKey, Problem> create_identity(const Suite& suite, const std::string& path);

// The text alone; the problem names no file.
[[nodiscard]] Result<Identity, Problem> parse_identity(const Suite& suite, std::string_view text);

}  // namespace statefs
