// AUDIT SOURCE: audit records from where they are kept: an image, or a file of exported JSON Lines; in their order, each once.
//
//   image.h (the log alone) | text/audit_line.h -> AUDIT SOURCE -> verb_audit.cpp
//
// read() goes on where the last one ended. An image that a daemon has is read up to what its marks say is durable; what was
// overwritten while it was read is read again. An image holds the records since its last snapshot or the export cursor, whichever
// is older: those before are in the exported files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/audit.h"
#include "core/result.h"
#include "os/problem.h"

namespace statefs {

class AuditReader {
 public:
  virtual ~AuditReader() = default;
  // `place`: a byte of the image, or a line of the file. Views are good during the call.
  virtual void take(const AuditRecord& record, const Digest& hash, std::uint64_t place) = 0;
};

// Which records were read already, so that none comes twice: exporting is at least once. An epoch record that follows none begins
// anew.
class SeenRecords {
 public:
  // Whether it is new; then it is the last.
  [[nodiscard]] bool add(const AuditRecord& record, const Digest& hash);
  [[nodiscard]] const AuditHead& last() const { return last_; }

 private:
  AuditHead first_;
  AuditHead last_;
};

struct AuditFindings {
  std::string note;                // a line: what was cut, or is not there any more; empty: nothing
  std::vector<std::string> bad;    // lines: what is wrong with the source; the first ten
  std::uint64_t record_count = 0;  // of this read
};

class AuditSource {
 public:
  virtual ~AuditSource() = default;
  // By what the file begins with: lines, else an image.
  [[nodiscard]] static Result<std::unique_ptr<AuditSource>, Problem> open(const std::string& path);

  // Records that were not read before, in all sources that share `seen`.
  [[nodiscard]] virtual AuditFindings read(AuditReader& reader, SeenRecords& seen) = 0;
  [[nodiscard]] virtual bool is_image() const = 0;
};

}  // namespace statefs
