#include "os/image.h"

#include <utility>

namespace statefs {

Result<Image, Problem> Image::open(const std::string& path, bool beside) {
  auto file = DiskFile::open(path, beside ? DiskAccess::beside : DiskAccess::read_only);
  if (!file) return file.error();
  return Image(std::move(file).value());
}

ReadExtent Image::reader() {
  return [this](const DiskRequest& request, ByteView& bytes) {
    if (!file_.perform(request)) return false;
    bytes = file_.read_bytes();
    return true;
  };
}

}  // namespace statefs
