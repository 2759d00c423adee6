"""What is in a Wasm module."""

CUSTOM_SECTION, IMPORT_SECTION, MEMORY_SECTION, EXPORT_SECTION, CODE_SECTION = 0, 2, 5, 7, 10


class Module:
    """A reader of a Wasm module's sections (WebAssembly core specification, section 5.5)."""

    def __init__(self, data):
        assert data[:8] == b"\0asm\1\0\0\0"
        self.data = data

    def imports(self):
        """Module and name of every function imported; nothing else may be."""
        self._seek(IMPORT_SECTION)
        return [self._import() for _ in range(self._number())]

    def exports(self):
        """The name of everything exported."""
        return list(self._indices())

    def function(self, export):
        """The index of the function that is exported by this name."""
        return self._indices()[export]

    def bodies(self):
        """The bodies of the module's own functions."""
        self._seek(CODE_SECTION)
        return [self._bytes(self._number()) for _ in range(self._number())]

    def memory_pages(self):
        """The number of pages that the only memory begins with."""
        self._seek(MEMORY_SECTION)
        assert (self._number(), self._byte()) == (1, 0), "one memory without a maximum"
        return self._number()

    def custom_sections(self):
        """Names and contents of the custom sections, in their order."""
        found = []
        for section, start, end in self._sections():
            if section == CUSTOM_SECTION:
                self.position = start
                found.append((self._name(), self.data[self.position : end]))
        return found

    def with_section(self, number, content):
        """The module's bytes with another content of this section."""
        given = bytes([number]) + leb128(len(content)) + content
        parts, last = [self.data[:8]], 8
        for section, _, end in self._sections():
            parts.append(given if section == number else self.data[last:end])
            last = end
        return b"".join(parts)

    def _sections(self):
        """Number, start and end of each section's content."""
        position = 8
        while position < len(self.data):
            self.position = position
            section, size = self._byte(), self._number()
            yield section, self.position, (position := self.position + size)

    def _seek(self, wanted):
        self.position = 8
        while (section := self._byte()) != wanted:
            size = self._number()
            self.position += size
            assert self.position < len(self.data), f"no section {wanted} behind section {section}"
        self._number()

    def _import(self):
        module, name, kind = self._name(), self._name(), self._byte()
        assert kind == 0, f"{module}.{name} is no function"
        self._number()
        return module, name

    def _indices(self):
        self._seek(EXPORT_SECTION)
        return dict(self._export() for _ in range(self._number()))

    def _export(self):
        name = self._name()
        self._byte()
        return name, self._number()

    def _byte(self):
        self.position += 1
        return self.data[self.position - 1]

    def _number(self):
        """LEB128."""
        byte = self._byte()
        return byte if byte < 128 else (byte & 127) | self._number() << 7

    def _name(self):
        return self._bytes(self._number()).decode()

    def _bytes(self, size):
        self.position += size
        return self.data[self.position - size : self.position]


def leb128(number):
    """A number as WebAssembly writes it."""
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + leb128(number >> 7)
