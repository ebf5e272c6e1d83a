#include "os/identity.h"

#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "os/entropy.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/hex.h"
#include "os/text/text_values.h"

namespace statefs {
namespace {

constexpr std::size_t identity_file_size_max = 4096;

std::optional<std::array<std::uint8_t, 32>> key_bytes(std::string_view digits) {
  auto bytes = bytes_of_hex(digits);
  if (!bytes || bytes->size() != 32) return std::nullopt;
  std::array<std::uint8_t, 32> out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  ::explicit_bzero(bytes->data(), bytes->size());
  return out;
}

void wipe(std::string& text) { ::explicit_bzero(text.data(), text.size()); }

std::string without_edges(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  const auto last = line.find_last_not_of(" \t\r");
  return std::string(line.substr(first, last - first + 1));
}

// The file's name must be on disk too, or a crash leaves an enrolled key that nobody holds.
int flush_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno;
  return ::fsync(fd.get()) == 0 ? 0 : errno;
}

}  // namespace

Result<Identity, Problem> parse_identity(const Suite& suite, std::string_view text) {
  std::optional<std::array<std::uint8_t, 32>> secret;
  std::optional<std::array<std::uint8_t, 32>> open;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    std::string line = without_edges(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.empty() || line[0] == '#') continue;
    const bool is_private = line.rfind("private ", 0) == 0;
    const bool is_public = line.rfind("public ", 0) == 0;
    auto& target = is_private ? secret : open;
    const bool repeated = (is_private || is_public) && target.has_value();
    if (is_private || is_public) target = key_bytes(without_edges(std::string_view(line).substr(is_private ? 8 : 7)));
    wipe(line);
    // The line itself is never shown: it may hold most of a private key.
    if ((!is_private && !is_public) || repeated || !target) {
      return Problem{"line " + std::to_string(number) + " is not 'private' or 'public' and 64 hex digits, once each"};
    }
  }
  if (!secret || !open) return Problem{"it has no " + std::string(secret ? "'public'" : "'private'") + " line"};
  Identity identity;
  identity.secret = SecretKey(*secret);
  ::explicit_bzero(secret->data(), secret->size());
  identity.key = suite.import(identity.secret);
  if (identity.key->public_key().bytes != *open)
    return Problem{"its public key does not belong to its private key: the file is damaged"};
  return identity;
}

Result<Identity, Problem> load_identity(const Suite& suite, const std::string& path) {
  auto text = read_secret_file("identity file", path, identity_file_size_max);
  if (!text) {
    if (::access(path.c_str(), F_OK) == 0) return text.error();
    return Problem{text.error().line + ": make one with 'statefs keygen " + printable(path) + "'"};
  }
  auto identity = parse_identity(suite, text.value());
  wipe(text.value());
  if (identity) return identity;
  return Problem{"identity file " + printable(path) + ": " + identity.error().line + ": make a new one with 'statefs keygen'"};
}

Result<PublicKey, Problem> create_identity(const Suite& suite, const std::string& path) {
  const auto about = [&path](const std::string& what) { return Problem{"identity file " + printable(path) + ": " + what}; };
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    if (errno == EEXIST) return about("is there already and is not overwritten: choose another name, or remove it first");
    return about(errno_text(errno));
  }
  const SecretKey secret = random_secret();
  const PublicKey key = suite.import(secret)->public_key();
  std::string digits = to_hex(secret.bytes());
  std::string text = "# private identity of a statefs device: whoever reads this file can act as the device\nprivate ";
  text.reserve(512);  // so that no copy of the digits is left behind in a smaller buffer
  text += digits;
  text += "\npublic " + to_hex(key.bytes) + "\n";
  int error = ::fchmod(fd.get(), 0600) == 0 ? 0 : errno;
  if (error == 0) error = write_all(fd.get(), as_bytes(text));
  wipe(digits);
  wipe(text);
  if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
  if (error == 0) error = flush_folder_of(path);
  if (error != 0) {
    ::unlink(path.c_str());
    return about(errno_text(error));
  }
  return key;
}

}  // namespace statefs
