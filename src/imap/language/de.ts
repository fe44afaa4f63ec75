// Deutsch.
import type { Translation } from './texts.ts'

export const de: Translation = {
  syntaxError: 'Der Befehl folgt nicht der Grammatik',
  texts: {
    'Annotations of messages': 'Notizen zu Nachrichten',
    'Annotations below /flags have no meaning yet': 'Notizen unter /flags haben noch keine Bedeutung',
    'Without a name you may only read': 'Ohne Namen dürfen Sie nur lesen',
    // CONVERT
    'That are too many messages to convert at once': 'Das sind zu viele Nachrichten auf einmal',
    'That are too many parts to convert at once': 'Das sind zu viele Teile auf einmal',
    'All conversions failed': 'Keine Umwandlung gelang',
    'Some conversions failed': 'Manche Umwandlungen gelangen nicht',
    'There is no such part': 'Diesen Teil gibt es nicht',
    'That conversion is not possible': 'Diese Umwandlung ist nicht möglich',
    'Some parameters are not for that conversion': 'Manche Parameter gehören nicht zu dieser Umwandlung',
    'The part is too large to be converted': 'Der Teil ist zu groß zum Umwandeln',
    'The part has an unknown transfer encoding': 'Der Teil hat eine unbekannte Kodierung',
    'The replacement for unknown characters is too long': 'Der Ersatz für unbekannte Zeichen ist zu lang',
    'The charset lacks characters of the text, or is not known here':
      'Der Zeichensatz hat nicht alle Zeichen, oder ist hier unbekannt',
    'A side of the image is out of bounds': 'Eine Seite des Bildes ist außerhalb der Grenzen',
    'Images can be converted later': 'Bilder können später umgewandelt werden',
    'The image can not be read, or is too large': 'Das Bild ist nicht lesbar oder zu groß',
    'Headers are converted to a charset': 'Kopfzeilen werden in einen Zeichensatz umgewandelt',
    // Gmail's labels
    'Labels are for messages of your own': 'Labels gibt es nur für eigene Nachrichten',
    'No mailbox here is for {}': 'Kein Ordner ist hier für {} da',
    // Stored searches
    'There is no such filter': 'Diesen Filter gibt es nicht',
    'That is no name for a filter': 'So kann ein Filter nicht heißen',
    'The filter {} is no whole search': 'Der Filter {} ist keine vollständige Suche',
    // Log-in
    Welcome: 'Willkommen',
    'Until next time': 'Bis zum nächsten Mal',
    'Log in anew': 'Neu anmelden',
    'log in first': 'Zuerst anmelden',
    'you are logged in already': 'Sie sind schon angemeldet',
    'authentication was cancelled': 'Die Anmeldung wurde abgebrochen',
    'The name or the password is wrong': 'Der Name oder das Passwort ist falsch',
    'That password is not for IMAP': 'Dieses Passwort gilt nicht für IMAP',
    'Too many failed attempts; wait a little, then try again':
      'Zu viele Fehlversuche; bitte etwas warten und dann noch einmal versuchen',
    "Log-ins can't be checked now; try again in a minute":
      'Anmeldungen können gerade nicht geprüft werden; bitte in einer Minute noch einmal versuchen',
    'There is no such mechanism here': 'Dieses Verfahren gibt es hier nicht',
    'Use STARTTLS first': 'Zuerst STARTTLS verwenden',
    'Begin TLS now': 'TLS jetzt beginnen',
    'TLS is on already': 'TLS ist schon aktiv',
    'This server has no certificate': 'Dieser Server hat kein Zertifikat',
    // Mailboxes
    Opened: 'Geöffnet',
    'Opened for reading': 'Zum Lesen geöffnet',
    'select a mailbox first': 'Zuerst einen Ordner öffnen',
    'The mailbox before is closed': 'Der vorige Ordner ist geschlossen',
    'The selected mailbox is gone': 'Den geöffneten Ordner gibt es nicht mehr',
    'You have no right to do that with this mailbox': 'Das dürfen Sie mit diesem Ordner nicht tun',
    "A mailbox can't be given to another account": 'Ein Ordner kann keinem anderen Konto gegeben werden',
    "The INBOX of another can't be renamed": 'Der Posteingang eines anderen kann nicht umbenannt werden',
    "Uses are for one's own mailboxes": 'Einen Zweck haben nur eigene Ordner',
    'Private entries are for your own mailboxes': 'Private Einträge gibt es nur für eigene Ordner',
    'There is nobody of that name': 'Niemand heißt so',
    'The owner keeps all rights': 'Der Besitzer behält alle Rechte',
    'Only an administrator shares a mailbox with anyone':
      'Nur ein Administrator gibt einen Ordner für alle frei',
    'These can be changed': 'Diese können geändert werden',
    'The mailbox was opened read-only: SELECT it':
      'Der Ordner wurde nur zum Lesen geöffnet: SELECT verwenden',
    'There is no such mailbox': 'Diesen Ordner gibt es nicht',
    'There is a mailbox of that name': 'Einen Ordner dieses Namens gibt es schon',
    'The mailbox has others below it': 'Der Ordner hat Unterordner',
    "That name can't be used: {}": 'Dieser Name ist nicht möglich: {}',
    'The name is not valid modified UTF-7': 'Der Name ist kein gültiges modifiziertes UTF-7',
    'The patterns are too long': 'Die Muster sind zu lang',
    "INBOX can't be deleted": 'INBOX kann nicht gelöscht werden',
    'A mailbox can have one use': 'Ein Ordner kann einen Zweck haben',
    '{} is no use that can be given': '{} ist kein Zweck, der vergeben werden kann',
    'Another mailbox has that use': 'Ein anderer Ordner hat diesen Zweck',
    'All of it can be changed': 'Alles davon kann geändert werden',
    'Nothing can be changed': 'Nichts kann geändert werden',
    'The first that is not seen': 'Die erste ungelesene',
    'UIDs are valid': 'UIDs sind gültig',
    'The next UID': 'Die nächste UID',
    'The state of the mailbox': 'Der Stand des Ordners',
    'The mailbox itself': 'Der Ordner selbst',
    'CONDSTORE is on': 'CONDSTORE ist aktiv',
    // Messages
    'the mailbox is empty': 'Der Ordner ist leer',
    'there are only {} messages': 'Es gibt nur {} Nachrichten',
    'There is no such message': 'Diese Nachricht gibt es nicht',
    'Some of the messages are gone': 'Einige der Nachrichten sind nicht mehr da',
    'The messages are gone': 'Die Nachrichten sind nicht mehr da',
    'Some were changed meanwhile and are left as they are':
      'Einige wurden inzwischen geändert und bleiben, wie sie sind',
    Moved: 'Verschoben',
    'Replacement is stored': 'Der Ersatz ist gespeichert',
    'Searched, will notify': 'Gesucht; Änderungen werden gemeldet',
    'Searched, will not notify': 'Gesucht; Änderungen werden nicht gemeldet',
    'No further updates': 'Änderungen werden nicht mehr gemeldet',
    'Not all of these tags are of searches that were kept up to date':
      'Nicht alle diese Tags gehören zu Suchen, deren Änderungen gemeldet wurden',
    'The messages refer to too many others': 'Die Nachrichten verweisen auf zu viele andere',
    'That are too many messages to search at once': 'Das sind zu viele Nachrichten für eine Suche',
    'Searched, and the result is saved': 'Gesucht und das Ergebnis gemerkt',
    'That charset is not known here': 'Dieser Zeichensatz ist hier nicht bekannt',
    'There is no such comparator here': 'Diesen Vergleich gibt es hier nicht',
    'A part has a transfer encoding that is not known here':
      'Ein Teil hat eine unbekannte Übertragungskodierung',
    'The stored message is damaged; tell the administrator':
      'Die gespeicherte Nachricht ist beschädigt; bitte dem Administrator melden',
    'An empty message is not kept; nothing was appended':
      'Eine leere Nachricht wird nicht aufgehoben; nichts wurde angehängt',
    'Messages can have up to {} bytes': 'Nachrichten können bis zu {} Bytes haben',
    'One APPEND takes up to {} messages': 'Ein APPEND nimmt bis zu {} Nachrichten',
    'Too many messages at once': 'Zu viele Nachrichten auf einmal',
    'Too many messages to copy, try a smaller subset':
      'Zu viele Nachrichten zum Kopieren, bitte weniger auf einmal',
    'Done for the last {} messages': 'Für die letzten {} Nachrichten erledigt',
    'Header fields in UTF-8 need ENABLE UTF8=ACCEPT first':
      'Kopfzeilen in UTF-8 brauchen zuerst ENABLE UTF8=ACCEPT',
    // URLs
    'That URL names nothing here; nothing was appended':
      'Diese URL führt hier zu nichts; nichts wurde angehängt',
    'The URL names nothing here': 'Die URL führt hier zu nichts',
    'The URL has expired already': 'Die URL ist schon abgelaufen',
    'INTERNAL is the only mechanism there is': 'INTERNAL ist das einzige Verfahren',
    'The URLs given out so far are void': 'Die bisher ausgegebenen URLs sind ungültig',
    // Quotas and annotations
    'The account is over its quota: delete something first': 'Das Konto ist voll: bitte zuerst etwas löschen',
    'That quota root is not yours': 'Dieses Kontingent ist nicht Ihres',
    'There is no such quota root': 'Dieses Kontingent gibt es nicht',
    'Administrators set quotas': 'Kontingente setzen Administratoren',
    'There is no resource {}': 'Es gibt keine Ressource {}',
    'That is more than can be counted': 'Das ist mehr, als gezählt werden kann',
    'Administrators set what all share': 'Was alle teilen, setzen Administratoren',
    "Set the server's private and shared entries by themselves":
      'Private und gemeinsame Einträge des Servers bitte getrennt setzen',
    '{} is set in the configuration': '{} wird in der Konfiguration gesetzt',
    'That value is too large': 'Dieser Wert ist zu groß',
    'There are too many annotations here': 'Hier sind zu viele Anmerkungen',
    // Notifications, idling, progress
    'There is an event that this server does not have': 'Ein Ereignis davon gibt es auf diesem Server nicht',
    'Too much has happened: notifications are off now': 'Zu viel ist geschehen: Meldungen sind jetzt aus',
    'IDLE ended': 'IDLE beendet',
    'Still here': 'Noch da',
    'Still at it': 'Noch dabei',
    '{} completed': '{} ausgeführt',
    // Language and compression
    'Now speaking English': 'Ab jetzt auf Deutsch',
    'These are the languages': 'Das sind die Sprachen',
    'None of these languages is known here': 'Keine dieser Sprachen ist hier bekannt',
    'DEFLATE active': 'DEFLATE ist aktiv',
    'compression is active already': 'Die Kompression ist schon aktiv',
    'Open a new connection: this one is compressed':
      'Bitte eine neue Verbindung öffnen: diese ist komprimiert',
    // The server
    'The server is going down; come back in a minute':
      'Der Server wird angehalten; bitte in einer Minute wiederkommen',
    'Your account or its password has changed; log in again':
      'Ihr Konto oder sein Passwort wurde geändert; bitte neu anmelden',
    'This account has too many sessions open': 'Für dieses Konto sind zu viele Sitzungen offen',
    'The account is gone': 'Das Konto gibt es nicht mehr',
    'The disk is full; nothing was changed, try again later':
      'Die Platte ist voll; nichts wurde geändert, bitte später noch einmal versuchen',
    'The store is not available now; try again in a minute':
      'Der Speicher ist gerade nicht erreichbar; bitte in einer Minute noch einmal versuchen',
    'There is no such thing': 'So etwas gibt es nicht',
    'That is a fault of this server; its number is {}':
      'Das ist ein Fehler dieses Servers; seine Nummer ist {}',
    'This is an IMAP server': 'Das ist ein IMAP-Server',
    'You were silent for too long': 'Sie waren zu lange still',
    'Too many commands that make no sense': 'Zu viele sinnlose Befehle',
    'The line has no end': 'Die Zeile hat kein Ende',
    'The line is too long': 'Die Zeile ist zu lang',
    'The command is too long': 'Der Befehl ist zu lang',
    'That literal is too large': 'Dieses Literal ist zu groß',
    'there is no such command': 'Diesen Befehl gibt es nicht',
    'UIDONLY is on: speak of UIDs only': 'UIDONLY ist aktiv: bitte nur UIDs verwenden',
  },
}
